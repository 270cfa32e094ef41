"""Whether this process can do its work right now."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from control_plane.base.faults import Away
from control_plane.live.service.permissions import Permissions

LIMIT = 2.0  # seconds

Ping = Callable[[], Awaitable[None]]


class Health:
    def __init__(self, stores: Mapping[str, Ping], permissions: Permissions) -> None:
        """``stores``: by name, what raises Away when it is away."""
        self._stores = stores
        self._permissions = permissions

    async def problems(self) -> list[str]:
        """One word each; empty when all is well."""
        answers = await asyncio.gather(*map(_answers, self._stores.values()))
        away = [name for name, ok in zip(self._stores, answers, strict=True) if not ok]
        return away + ([] if self._permissions.fresh else ["notices"])


async def _answers(ping: Ping) -> bool:
    try:
        async with asyncio.timeout(LIMIT):
            await ping()
    except (Away, TimeoutError):
        return False
    return True
