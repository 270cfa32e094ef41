"""Counters of requests, in Redis."""

import itertools
from collections.abc import Sequence
from zlib import crc32

from redis.asyncio import RedisCluster

from control_plane.base.batches import Lane
from control_plane.base.redis import PLACES, Command, Redis, asks_redis, pipelined

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
    if now < start or now >= start + 120 then -- the clock may step back
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
    """Those who come at the same time are counted together, in a cluster those of one
    place: a server that is away is no matter of the others' users."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        apart = PLACES if isinstance(redis, RedisCluster) else 1
        self._lanes: list[Lane[tuple[str, int], bool]] = [
            Lane(self._together, TOGETHER) for _ in range(apart)
        ]

    async def hit(self, per_minute: int, *who: str) -> bool:
        """Count one request; False when it is one too many. Raises Away."""
        name = ":".join(who)
        lane = self._lanes[_place(name) % len(self._lanes)]
        return await lane.submit((name, per_minute))

    @asks_redis
    async def _together(self, wanted: Sequence[tuple[str, int]]) -> Sequence[bool]:
        by_place: dict[int, list[int]] = {}
        for number, (who, _) in enumerate(wanted):
            by_place.setdefault(_place(who), []).append(number)
        commands = (
            _hits(place, [wanted[number] for number in numbers])
            for place, numbers in by_place.items()
        )
        answers = itertools.chain(*await pipelined(self._redis, commands))
        found = dict(zip(itertools.chain(*by_place.values()), answers, strict=True))
        return [found[number] == 1 for number in range(len(wanted))]


def _place(who: str) -> int:
    return crc32(who.encode()) % PLACES


def _hits(place: int, wanted: Sequence[tuple[str, int]]) -> Command:
    keys = [f"{PREFIX}:{{{place}}}:{who}" for who, _ in wanted]
    return ("EVAL", _HIT, len(keys), *keys, *(most for _, most in wanted))
