"""Counters of requests, in Redis."""

from limits import RateLimitItem
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from control_plane.base.redis import Redis, asks_redis

PREFIX = "rates"


def limiter(redis: Redis) -> SlidingWindowCounterRateLimiter:
    """Counts through the connections of ``redis``."""
    storage = RedisStorage(
        "async+redis://",
        implementation="redispy",
        key_prefix=PREFIX,
        connection_pool=redis.connection_pool,  # type: ignore[arg-type]
    )
    return SlidingWindowCounterRateLimiter(storage)


@asks_redis
async def hit(
    limiter: SlidingWindowCounterRateLimiter, item: RateLimitItem, *who: str
) -> bool:
    """Count one request; False when it is one too many."""
    return await limiter.hit(item, *who)
