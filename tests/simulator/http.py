"""What stands in for aiohttp's client: it finds other programs by their names."""

import asyncio
import contextlib
import errno
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, ClassVar
from urllib.parse import urlsplit

import aiohttp

from tests.simulator.network import Wire


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Told:
    """An answer, as the client sees it."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    async def read(self, _most: int = -1) -> bytes:
        """All of it, once."""
        body, self.body = self.body, b""
        return body

    @property
    def content(self) -> "Told":
        return self

    def at_eof(self) -> bool:
        return True

    def close(self) -> None:
        pass


def told(status: int, found: object = None) -> Told:
    return Told(status, b"" if found is None else json.dumps(found).encode())


@dataclass(frozen=True)
class Host:
    wire: Wire
    handle: Callable[[Asked], Coroutine[Any, Any, Told]]


class Session:
    """Stands in for aiohttp.ClientSession."""

    hosts: ClassVar[dict[str, Host]] = {}
    #: Starts what others do, which goes on when the process that asked for it dies.
    spawn: ClassVar[Callable[[Coroutine[Any, Any, Any]], "asyncio.Task[Any]"]]

    def __init__(self, **options: Any) -> None:
        timeout = options.get("timeout")
        self._within = None if timeout is None else timeout.total

    async def __aenter__(self) -> "Session":
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    @contextlib.asynccontextmanager
    async def request(self, method: str, url: str, **more: Any) -> AsyncIterator[Told]:
        parts = urlsplit(url)
        where = f"{parts.path}?{parts.query}" if parts.query else parts.path
        asked = Asked(method, where, more.get("headers") or {}, more.get("data") or b"")
        host = self.hosts[parts.hostname or ""]
        async with asyncio.timeout(self._within):
            await _reached(host)
            with _broken():
                answer = await asyncio.shield(type(self).spawn(host.handle(asked)))
                await host.wire.travel()
        yield answer

    def post(self, url: str, **more: Any) -> Any:
        return self.request("POST", url, **more)


async def _reached(host: Host) -> None:
    try:
        await host.wire.travel()
    except ConnectionRefusedError:
        key: Any = SimpleNamespace(
            host=host.wire.name, port=80, ssl=False, is_ssl=False
        )
        refused = OSError(errno.ECONNREFUSED, "refused")
        raise aiohttp.ClientConnectorError(key, refused) from None


@contextlib.contextmanager
def _broken() -> Iterator[None]:
    try:
        yield
    except ConnectionError:
        raise aiohttp.ServerDisconnectedError from None
