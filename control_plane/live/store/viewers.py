"""Who watches what, in Redis.

For each session and node: ``viewers:``, a set of those whom the node's last look
counted, and ``hints:`` and ``steady:``, sorted sets of who was let in and of who asks
again and again, by the unix second in which that was last; of an origin ``beats:``
and ``coming:`` too, who watches and who was let in at edges, by the unix second until
which that counts (``beats.py``).
For each node ``look:`` says when it was looked at last, for each session ``unique:``
holds the distinct viewers of all time, as a HyperLogLog.

A lost node drops out whole: what it was found to have counts for a while only.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from control_plane.base.redis import Command, Redis, asks_redis, pipelined
from control_plane.live.model.viewers import WINDOW
from control_plane.live.store.places import Place, by_node

KEEP_HINTS = 60  # seconds
KEEP_VIEWERS = 300  # seconds after it was last said that they are kept
KEEP_UNIQUE = 86_400  # seconds after the last new one
CHUNK = 1000  # members a command: a longer one holds the event loop

#: ``steady``: those of the hinted who ask again and again, on nodes that list no HLS
#: viewers. ``beats``, ``coming``: see above.
Kind = Literal["hints", "steady", "beats", "coming"]

# The words of each key follow their number.
_HINT = """
local at = 3
for _, key in ipairs(KEYS) do
    local last = at + tonumber(ARGV[at])
    redis.call('ZADD', key, 'GT', unpack(ARGV, at + 1, last))
    redis.call('ZREMRANGEBYSCORE', key, '-inf', ARGV[1])
    redis.call('EXPIRE', key, ARGV[2])
    at = last + 1
end
"""
# Each key has a command, how many members, and these.
_CHANGE = """
local at = 2
for _, key in ipairs(KEYS) do
    local last = at + 1 + tonumber(ARGV[at + 1])
    redis.call(ARGV[at], key, unpack(ARGV, at + 2, last))
    redis.call('EXPIRE', key, ARGV[1])
    at = last + 1
end
"""
# A hint counts unless a look that began after it has told about everybody. Whoever goes
# from an origin to its edges is in two sets for a while, and so is whoever has come.
_COUNT = """
local now, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local look = redis.call('HMGET', KEYS[1], 'until', 'told')
local fresh = tonumber(look[1] or 0) > now
local since = math.max(now - window, tonumber(look[2] or 0))
local found = {}
for i = 2, #KEYS, 4 do
    local listed = fresh and redis.call('SCARD', KEYS[i]) or 0
    local beats = redis.call('ZCOUNT', KEYS[i + 2], now, '+inf')
    local coming = redis.call('ZCOUNT', KEYS[i + 3], now, '+inf')
    local count = listed + beats
    if count + coming == 0 then
        count = redis.call('ZCOUNT', KEYS[i + 1], since, '+inf')
    else
        local counted = {}
        local function beating(one)
            return tonumber(redis.call('ZSCORE', KEYS[i + 2], one) or 0) >= now
        end
        local function add(key, from)
            for _, one in ipairs(redis.call('ZRANGEBYSCORE', key, from, '+inf')) do
                if not (counted[one]
                    or listed > 0 and redis.call('SISMEMBER', KEYS[i], one) == 1
                    or beats > 0 and beating(one)) then
                    counted[one] = true
                    count = count + 1
                end
            end
        end
        add(KEYS[i + 1], since)
        if coming > 0 then
            add(KEYS[i + 3], now)
        end
    end
    if listed > 0 and beats > 0 then
        local both = redis.call('ZINTERCARD', 2, KEYS[i], KEYS[i + 2])
        count = count - math.min(both, beats)
    end
    found[#found + 1] = count
end
return found
"""


@dataclass(frozen=True, slots=True)
class Looked:
    """``at``: when a node's last look ended. ``until``: how long those whom it found
    count. ``told``: who was let in before this time is among them, or gone. ``by``: who
    looked."""

    at: float
    until: float
    told: float
    by: str


NEVER = Looked(0.0, 0.0, 0.0, "")


class ViewerSets:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    @asks_redis
    async def hint(
        self, kind: Kind, seen: Mapping[Place, Mapping[str, float]], before: float
    ) -> None:
        """``seen``: viewer to unix time. Those of ``before`` and earlier are
        forgotten."""
        await pipelined(self._redis, hinting(kind, seen, before))

    @asks_redis
    async def count(
        self, places: Sequence[Place], now: float, window: float
    ) -> list[int]:
        """For each, those whom the last look at its node counted, and those let in
        since, ``window`` seconds ago at most."""
        asked = by_node(places, CHUNK // 5)
        commands = (_count(node, ids, now, window) for node, ids in asked)
        answers = await pipelined(self._redis, commands)
        found = {
            (session_id, node): int(count)
            for (node, ids), counts in zip(asked, answers, strict=True)
            for session_id, count in zip(ids, counts, strict=True)
        }
        return [found[place] for place in places]

    @asks_redis
    async def steady(
        self, places: Sequence[Place], since: float
    ) -> dict[int, list[str]]:
        """Who, by session."""
        found = await pipelined(
            self._redis,
            (
                ("ZRANGEBYSCORE", key_of("steady", place), since, "+inf")
                for place in places
            ),
        )
        return {place[0]: who for place, who in zip(places, found, strict=True)}

    @asks_redis
    async def looked(self, node: str) -> Looked:
        [found] = await pipelined(
            self._redis, [("HMGET", _look(node), "at", "until", "told", "by")]
        )
        if None in found:
            return NEVER
        at, until, told, by = found
        return Looked(float(at), float(until), float(told), by)

    @asks_redis
    async def look_ended(self, node: str, looked: Looked) -> None:
        key = _look(node)
        words = [word for pair in asdict(looked).items() for word in pair]
        await pipelined(
            self._redis, [("HSET", key, *words), ("EXPIRE", key, KEEP_VIEWERS)]
        )

    @asks_redis
    async def replace(self, places: Mapping[Place, Collection[str]]) -> None:
        """These are its viewers, whoever was there."""
        await pipelined(
            self._redis,
            (one for at, there in places.items() for one in _replaced(at, there)),
        )

    @asks_redis
    async def change(
        self, node: str, changes: Mapping[int, tuple[Collection[str], Collection[str]]]
    ) -> None:
        """By session, who came and who went."""
        await pipelined(self._redis, _changes(node, changes))

    @asks_redis
    async def keep(self, places: Sequence[Place]) -> list[int]:
        """They do not go away by themselves for a while. How many viewers each has
        got."""
        commands: list[Command] = []
        for place in places:
            key = key_of("viewers", place)
            commands += [("EXPIRE", key, KEEP_VIEWERS), ("SCARD", key)]
        answers = await pipelined(self._redis, commands)
        return [int(count) for count in answers[1::2]]

    @asks_redis
    async def playing(
        self, viewers: Sequence[tuple[Place, str]], since: float
    ) -> list[bool]:
        """Whether the last look counted each, or it was let in since."""
        commands: list[Command] = []
        for place, viewer in viewers:
            commands.append(("SISMEMBER", key_of("viewers", place), viewer))
            commands.append(("ZSCORE", key_of("hints", place), viewer))
            commands.append(("ZSCORE", key_of("beats", place), viewer))
            commands.append(("ZSCORE", key_of("coming", place), viewer))
        answers = await pipelined(self._redis, commands)
        found = zip(*(answers[nth::4] for nth in range(4)), strict=True)
        return [
            bool(there)
            or float(hinted or 0) > since
            or max(float(beating or 0), float(coming or 0)) > since + WINDOW
            for there, hinted, beating, coming in found
        ]

    @asks_redis
    async def unique(self, joined: Mapping[int, Collection[str]]) -> list[int]:
        """For each session, how many they and all those before them are."""
        await pipelined(self._redis, joining(joined))
        counted = (("PFCOUNT", _unique(session_id)) for session_id in joined)
        return [int(count) for count in await pipelined(self._redis, counted)]


def joining(joined: Mapping[int, Collection[str]]) -> Iterator[Command]:
    for session_id, viewers in joined.items():
        key = _unique(session_id)
        for some in _some(viewers):
            yield ("PFADD", key, *some)
        yield ("EXPIRE", key, KEEP_UNIQUE)


def hinting(
    kind: Kind, seen: Mapping[Place, Mapping[str, float]], before: float
) -> Iterator[Command]:
    keys: dict[str, list[str]] = {}
    words: dict[str, list[str | float]] = {}
    for place, viewers in seen.items():
        _, node = place
        for some in _some(viewers):
            pairs = [word for viewer in some for word in (viewers[viewer], viewer)]
            keys.setdefault(node, []).append(key_of(kind, place))
            words.setdefault(node, []).extend([len(pairs), *pairs])
            if len(words[node]) >= CHUNK:
                yield _hint(keys.pop(node), words.pop(node), before)
    for node, left in keys.items():
        yield _hint(left, words[node], before)


def going_on(
    kind: Kind, seen: Mapping[Place, Mapping[str, float]]
) -> Iterator[Command]:
    """As ``hinting``, of those who are there only."""
    for place, viewers in seen.items():
        key = key_of(kind, place)
        for some in _some(viewers):
            pairs = [word for viewer in some for word in (viewers[viewer], viewer)]
            yield ("ZADD", key, "XX", "GT", *pairs)
        yield ("EXPIRE", key, KEEP_HINTS)


def _hint(keys: list[str], words: list[str | float], before: float) -> Command:
    return ("EVAL", _HINT, len(keys), *keys, before, KEEP_HINTS, *words)


def _count(node: str, ids: Sequence[int], now: float, window: float) -> Command:
    keys = [
        key
        for session_id in ids
        for key in (
            key_of("viewers", (session_id, node)),
            key_of("hints", (session_id, node)),
            key_of("beats", (session_id, node)),
            key_of("coming", (session_id, node)),
        )
    ]
    return ("EVAL", _COUNT, 1 + len(keys), _look(node), *keys, now, window)


def _replaced(place: Place, viewers: Collection[str]) -> Iterator[Command]:
    """Under another name first, so that nobody reads half of it. That goes by itself
    if the rest never comes."""
    key = key_of("viewers", place)
    if not viewers:
        yield ("DEL", key)
        return
    coming = f"{key}:coming"
    yield ("DEL", coming)
    for some in _some(viewers):
        words: Command = ("SADD", len(some), *some)
        yield ("EVAL", _CHANGE, 1, coming, KEEP_VIEWERS, *words)
    yield ("RENAME", coming, key)


def _changes(
    node: str, changes: Mapping[int, tuple[Collection[str], Collection[str]]]
) -> Iterator[Command]:
    keys: list[str] = []
    words: list[str | int] = []
    for session_id, (came, went) in changes.items():
        key = key_of("viewers", (session_id, node))
        for word, viewers in (("SADD", came), ("SREM", went)):
            for some in _some(viewers):
                keys.append(key)
                words += [word, len(some), *some]
                if len(words) >= CHUNK:
                    yield ("EVAL", _CHANGE, len(keys), *keys, KEEP_VIEWERS, *words)
                    keys, words = [], []
    if keys:
        yield ("EVAL", _CHANGE, len(keys), *keys, KEEP_VIEWERS, *words)


def _some(viewers: Collection[str]) -> Iterator[list[str]]:
    listed = list(viewers)
    for start in range(0, len(listed), CHUNK):
        yield listed[start : start + CHUNK]


# The braces keep all of a node together where Redis is a cluster.
def _look(node: str) -> str:
    return f"look:{{{node}}}"


def key_of(kind: Literal["viewers"] | Kind, place: Place) -> str:
    session_id, node = place
    return f"{kind}:{{{node}}}:{session_id}"


def _unique(session_id: int) -> str:
    return f"unique:{session_id}"
