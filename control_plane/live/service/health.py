"""Whether this process can do its work right now."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from control_plane.base.faults import Away

LIMIT = 2.0  # seconds

Ping = Callable[[], Awaitable[None]]


class Health:
    def __init__(self, needed: Mapping[str, Ping]) -> None:
        """``needed``: by name, what raises Away when it is away."""
        self._needed = needed

    async def problems(self) -> list[str]:
        """One word each; empty when all is well."""
        return [name for name, ok in (await self.answers()).items() if not ok]

    async def answers(self) -> dict[str, bool]:
        """Of each, whether it is there."""
        found = await asyncio.gather(*map(_answers, self._needed.values()))
        return dict(zip(self._needed, found, strict=True))


async def _answers(ping: Ping) -> bool:
    try:
        async with asyncio.timeout(LIMIT):
            await ping()
    except (Away, TimeoutError):
        return False
    return True
