"""The newest picture of each session, in Redis: there every role reaches it, and what
nobody needs goes by itself."""

from collections.abc import Sequence

from redis.client import NEVER_DECODE

from control_plane.base.redis import Redis, asks_redis, pipelined

KEEP = 86_400  # seconds, also after the end


class PreviewStore:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    @asks_redis
    async def put(self, session_id: int, picture: bytes) -> None:
        await self._redis.set(_key(session_id), picture, ex=KEEP)

    @asks_redis
    async def get(self, session_id: int) -> bytes | None:
        found = await self._redis.execute_command(
            "GET", _key(session_id), **{NEVER_DECODE: True}
        )
        return None if found is None else bytes(found)

    @asks_redis
    async def there(self, session_ids: Sequence[int]) -> set[int]:
        """Those that have one."""
        found = await pipelined(self._redis, (("EXISTS", _key(i)) for i in session_ids))
        return {i for i, yes in zip(session_ids, found, strict=True) if yes}


def _key(session_id: int) -> str:
    return f"preview:{session_id}"
