"""Whether this process can do its work right now."""

import asyncio

from control_plane.base.database import Pool
from control_plane.base.faults import Away
from control_plane.base.redis import Redis, translated
from control_plane.live.service.permissions import Permissions

LIMIT = 2.0  # seconds


class Health:
    def __init__(self, pool: Pool, redis: Redis, permissions: Permissions) -> None:
        self._pool = pool
        self._redis = redis
        self._permissions = permissions

    async def problems(self) -> list[str]:
        """One word each; empty when all is well."""
        postgres, redis = await asyncio.gather(self._postgres(), self._valkey())
        found = [] if postgres else ["postgres"]
        found += [] if redis else ["redis"]
        return found + ([] if self._permissions.fresh else ["notices"])

    async def _postgres(self) -> bool:
        try:
            async with asyncio.timeout(LIMIT):
                await self._pool.fetchval("SELECT 1")
        except (Away, TimeoutError):
            return False
        return True

    async def _valkey(self) -> bool:
        try:
            async with asyncio.timeout(LIMIT):
                with translated():
                    await self._redis.ping()
        except (Away, TimeoutError):
            return False
        return True
