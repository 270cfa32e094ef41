"""Whether this process can do its work right now."""

import asyncio

from redis.asyncio import Redis

from control_plane.service.permissions import Permissions
from control_plane.store import viewers
from control_plane.store.database import AWAY, Pool

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
        except AWAY:
            return False
        return True

    async def _valkey(self) -> bool:
        try:
            async with asyncio.timeout(LIMIT):
                await self._redis.ping()
        except viewers.AWAY:
            return False
        return True
