"""Counters of requests, in Redis."""

from collections.abc import Sequence

from control_plane.base.batches import Lane
from control_plane.base.redis import Redis, asks_redis

PREFIX = "rates"
TOGETHER = 500  # requests that are counted at once

#: For each key its most a minute; 1 where the request is counted, 0 where it is one
#: too many. A window begins with its first request; of the one before it counts what
#: would still be in a minute that ends now, had its requests come evenly.
_HIT = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local answers = {}
for i, key in ipairs(KEYS) do
    local kept = redis.call('HMGET', key, 'start', 'count', 'before')
    local start, count = tonumber(kept[1]) or 0, tonumber(kept[2]) or 0
    local before = tonumber(kept[3]) or 0
    if now >= start + 120 then
        start, count, before = now, 0, 0
    elseif now >= start + 60 then
        start, count, before = start + 60, 0, count
    end
    local still = math.floor(before * (start + 60 - now) / 60)
    answers[i] = 0
    if still + count < tonumber(ARGV[i]) then
        answers[i] = 1
        redis.call('HSET', key, 'start', start, 'count', count + 1, 'before', before)
        redis.call('EXPIRE', key, 120)
    end
end
return answers
"""


class Counters:
    """Those who come at the same time are counted together."""

    def __init__(self, redis: Redis) -> None:
        self._hit = redis.register_script(_HIT)
        self._lane: Lane[tuple[str, int], bool] = Lane(self._together, TOGETHER)

    async def hit(self, per_minute: int, *who: str) -> bool:
        """Count one request; False when it is one too many. Raises Away."""
        return await self._lane.submit((":".join((PREFIX, *who)), per_minute))

    @asks_redis
    async def _together(self, wanted: Sequence[tuple[str, int]]) -> Sequence[bool]:
        keys, most = zip(*wanted, strict=True)
        found: list[int] = await self._hit(keys=keys, args=most)
        return [one == 1 for one in found]
