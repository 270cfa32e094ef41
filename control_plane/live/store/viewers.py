"""Who watches what, in Redis: one sorted set per session and node, its members
the viewers, its scores the unix second in which each was last seen.

A lost node drops out whole, and a set that nobody refreshes goes away by itself.
"""

from collections.abc import Mapping, Sequence

from control_plane.base.redis import Redis, asks_redis

KEEP = 60  # seconds after the last refresh
CHUNK = 1000  # members a command: a longer one holds the event loop


def _key(session_id: int, node: str) -> str:
    return f"viewers:{session_id}:{node}"


@asks_redis
async def saw(
    redis: Redis, session_id: int, node: str, seen: Mapping[str, float]
) -> None:
    """``seen``: viewer to unix time."""
    key = _key(session_id, node)
    viewers = list(seen.items())
    for start in range(0, len(viewers), CHUNK):
        await redis.zadd(key, dict(viewers[start : start + CHUNK]), gt=True)
    await redis.expire(key, KEEP)


@asks_redis
async def forget_older(redis: Redis, session_id: int, node: str, before: float) -> None:
    await redis.zremrangebyscore(_key(session_id, node), "-inf", f"({before}")


@asks_redis
async def count(
    redis: Redis, sessions: Sequence[tuple[int, str]], since: float
) -> list[int]:
    """For each (session, node), the viewers seen at ``since`` or later."""
    if not sessions:
        return []
    async with redis.pipeline(transaction=False) as pipe:
        for session_id, node in sessions:
            pipe.zcount(_key(session_id, node), since, "+inf")
        return [int(value) for value in await pipe.execute()]


@asks_redis
async def clear(redis: Redis, session_id: int, node: str) -> None:
    await redis.delete(_key(session_id, node))
