"""A client of a cache in front of nodes (``nginx.py``). It has no lists: whoever plays
there asks for itself."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import aiohttp

from mediamtx.client import KickResult
from mediamtx.payloads import Answer, Connection, HlsSession, Info, View

Reader = Connection | HlsSession


class Cache:
    """``timeout``: seconds."""

    def __init__(
        self, http: aiohttp.ClientSession, url: str, timeout: float = 3.0
    ) -> None:
        self._http = http
        self._url = f"{url.rstrip('/')}/healthz"
        self._timeout = timeout

    async def look(
        self,
        take: Callable[[Sequence[Reader]], Awaitable[None]] | None = None,
        *,
        quiet: bool = False,
    ) -> View:
        return View(*await self._ask())

    async def info(self) -> Info:
        return Info(*await self._ask())

    async def kick(self, source_type: str, source_id: str) -> KickResult:
        return "missing"

    async def kick_readers(self, chosen: Callable[[Reader], bool]) -> Answer:
        """Whoever may not watch is refused when it asks next."""
        return "answered"

    async def _ask(self) -> tuple[Answer, str]:
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._http.get(self._url, allow_redirects=False) as response,
            ):
                if response.status == 200:
                    return "answered", ""
                return "silent", f"it answered {response.status}"
        except aiohttp.ClientConnectorError:
            return "refused", "it cannot be reached"
        except TimeoutError:
            return "silent", f"no answer within {self._timeout:g} s"
        except (aiohttp.ClientError, OSError):
            return "silent", "the connection broke"
