"""How the stores are that everything stands on, as operators are told."""

import asyncio
import time
from dataclasses import dataclass

from control_plane.base import database, redis, room
from control_plane.base.database import Pool
from control_plane.base.faults import Away
from control_plane.base.redis import Memory, Redis

LIMIT = 2.0  # seconds


@dataclass(frozen=True, slots=True)
class StoresNow:
    """``has_room``: on the disk of Postgres's tables. ``ahead``: seconds that its clock
    is ahead of ours, below zero behind, as far as the way there explains none.
    ``memory``: None: Redis does not answer; ``redis_writes``: and takes writes."""

    takes_writes: bool
    has_room: bool
    ahead: float
    memory: Memory | None
    redis_writes: bool


class Stores:
    def __init__(self, pool: Pool, redis: Redis) -> None:
        self._pool = pool
        self._redis = redis

    async def look(self) -> StoresNow:
        """Raises Away without Postgres."""
        try:
            async with asyncio.timeout(LIMIT):
                began = time.time()
                server = await database.server(self._pool)
                ended = time.time()
                has_room = await room.postgres_has_some(self._pool)
        except TimeoutError:
            raise Away("Postgres does not answer in time") from None
        ahead = _outside(server.clock, began, ended)
        of_redis = await self._look_at_redis()
        return StoresNow(server.takes_writes, has_room, ahead, *of_redis)

    async def _look_at_redis(self) -> tuple[Memory | None, bool]:
        """As StoresNow has them."""
        memory = None
        try:
            async with asyncio.timeout(LIMIT):
                memory = await redis.memory(self._redis)
                await redis.write(self._redis)
        except (Away, TimeoutError):
            return memory, False
        return memory, True


def _outside(moment: float, began: float, ended: float) -> float:
    """How long after the end, or, below zero, before the beginning."""
    return max(0.0, moment - ended) + min(0.0, moment - began)
