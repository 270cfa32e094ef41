"""Who watches what, in Redis: one sorted set per session and node, its members
the viewers, its scores the unix second in which each was last seen.

A lost node drops out whole, and a set that nobody refreshes goes away by itself.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from control_plane.base.redis import Redis, asks_redis

KEEP = 60  # seconds after the last refresh
CHUNK = 1000  # members a command: a longer one holds the event loop

#: ``viewers``: all who count. ``steady``: those of them who ask again and again, on
#: nodes that list no HLS viewers.
Kind = Literal["viewers", "steady"]


class ViewerSets:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    @asks_redis
    async def saw(
        self, kind: Kind, session_id: int, node: str, seen: Mapping[str, float]
    ) -> None:
        """``seen``: viewer to unix time."""
        key = _key(kind, session_id, node)
        viewers = list(seen.items())
        for start in range(0, len(viewers), CHUNK):
            chunk = dict(viewers[start : start + CHUNK])
            await self._redis.zadd(key, chunk, gt=True)
        await self._redis.expire(key, KEEP)

    @asks_redis
    async def forget_older(self, session_id: int, node: str, before: float) -> None:
        key = _key("viewers", session_id, node)
        await self._redis.zremrangebyscore(key, "-inf", f"({before}")

    @asks_redis
    async def count(
        self, kind: Kind, sessions: Sequence[tuple[int, str]], since: float
    ) -> list[int]:
        """For each (session, node), the viewers seen at ``since`` or later."""
        if not sessions:
            return []
        async with self._redis.pipeline(transaction=False) as pipe:
            for session_id, node in sessions:
                pipe.zcount(_key(kind, session_id, node), since, "+inf")
            return [int(value) for value in await pipe.execute()]

    @asks_redis
    async def clear(self, session_id: int, node: str) -> None:
        await self._redis.delete(_key("viewers", session_id, node))
        await self._redis.delete(_key("steady", session_id, node))


def _key(kind: Kind, session_id: int, node: str) -> str:
    return f"{kind}:{session_id}:{node}"
