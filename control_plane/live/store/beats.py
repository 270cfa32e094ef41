"""Who watches at edges, and how many read where, in Redis.

``beats:`` and ``coming:``, those who were let in and may not be listed yet, stand
beside the sets of ``viewers.py``. ``asked:`` is how many asked to go
on at a cache, for each ten seconds, ``readers:`` how many a node listed last, and
``heard:`` since when no question of a cache is missing here: an emptied Redis knows
nobody, and says so.
``sent:`` is how many were sent away from edges that drain, for each five seconds; who
is at one that is a cache stands in the ``beats:`` of session 0 there.
"""

from collections.abc import AsyncIterator, Container, Iterable, Mapping, Sequence
from itertools import chain

from control_plane.base.redis import (
    Command,
    Redis,
    asks_redis,
    by_server,
    pipelined,
    told,
)
from control_plane.live.model.edges import ARRIVES, ASKS_AFTER, BEAT, KNOWN_AFTER
from control_plane.live.model.nodes import Node
from control_plane.live.store.places import Place, by_node
from control_plane.live.store.viewers import CHUNK, going_on, hinting, joining, key_of

KEEP_LOAD = 30  # seconds
#: Whoever is heard of so many seconds late is not missed.
KEEP_HEARD = int(BEAT) - ASKS_AFTER
SENT_EVERY = 5  # seconds

# Whoever goes from an origin to its edges is in both sets for a while. Those whose time
# is over would be found among both, too.
_COUNT = """
local found = {}
for i = 1, #KEYS, 2 do
    local count = redis.call('ZCOUNT', KEYS[i], ARGV[1], '+inf')
    if count > 0 then
        redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', '(' .. ARGV[1])
        count = count - redis.call('ZINTERCARD', 2, KEYS[i], KEYS[i + 1])
    end
    found[#found + 1] = count
end
return found
"""


class Beats:
    """Each place is of an origin."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    @asks_redis
    async def by_server(self, nodes: Iterable[str]) -> list[set[str]]:
        """Those together of whom one server holds what stands with a node."""
        return await by_server(self._redis, nodes)

    @asks_redis
    async def beat(self, seen: Mapping[Place, Mapping[str, float]], now: float) -> None:
        """``seen``: viewer to the unix time until which that counts."""
        joined = {session_id: viewers for (session_id, _), viewers in seen.items()}
        counting, knowing = hinting("beats", seen, now), joining(joined)
        await told(self._redis, chain(counting, knowing))

    @asks_redis
    async def come(self, seen: Mapping[Place, Mapping[str, float]], now: float) -> None:
        """As ``beat``, for the number that is shown and for nothing else: a single
        request proves nothing."""
        await pipelined(self._redis, hinting("coming", seen, now))

    @asks_redis
    async def go_on(self, seen: Mapping[Place, Mapping[str, float]]) -> None:
        """As ``beat``, of those who are there."""
        await pipelined(self._redis, going_on("beats", seen))

    @asks_redis
    async def count(
        self, node: str, session_ids: Iterable[int], now: float
    ) -> dict[int, int]:
        """By session, those whom the origin's last look did not find there as well."""
        counted: dict[int, int] = {}
        asked = by_node(((i, node) for i in session_ids), CHUNK // 5)
        answers = await pipelined(self._redis, (_count(*one, now) for one in asked))
        for (_, ids), counts in zip(asked, answers, strict=True):
            counted |= zip(ids, map(int, counts), strict=True)
        return counted

    @asks_redis
    async def stay(self, seen: Mapping[str, Mapping[str, float]], now: float) -> None:
        """At caches that drain, as ``beat``."""
        whole = {_whole(edge): viewers for edge, viewers in seen.items()}
        await pipelined(self._redis, hinting("beats", whole, now))

    @asks_redis
    async def staying(self, edge: str, now: float) -> list[str] | None:
        """None: not all of them are known."""
        commands: list[Command] = [
            ("GET", _heard(edge)),
            ("ZRANGEBYSCORE", key_of("beats", _whole(edge)), now, "+inf"),
        ]
        since, found = await pipelined(self._redis, commands)
        return [str(viewer) for viewer in found] if _is_known(since, now) else None

    @asks_redis
    async def hears(
        self, caches: Iterable[str], now: float, anew: Container[str] = ()
    ) -> None:
        """Whatever they asked stands here, ``anew`` from now on only."""
        commands: list[Command] = []
        for cache in caches:
            key, unless_known = _heard(cache), () if cache in anew else ("NX",)
            commands.append(("SET", key, now, *unless_known, "EX", KEEP_HEARD))
            commands.append(("EXPIRE", key, KEEP_HEARD))
        await pipelined(self._redis, commands)

    @asks_redis
    async def sent(self, count: int, now: float) -> None:
        """So many were sent from edges that drain to others."""
        key = _sent(now)
        await pipelined(
            self._redis, [("INCRBY", key, count), ("EXPIRE", key, KEEP_LOAD)]
        )

    @asks_redis
    async def on_their_way(self, now: float) -> int:
        """Of those, who may not have come yet."""
        lately = range(0, int(ARRIVES) + 1, SENT_EVERY)
        found = await pipelined(
            self._redis, [("GET", _sent(now - ago)) for ago in lately]
        )
        return sum(int(one or 0) for one in found)

    async def viewers(self, place: Place) -> AsyncIterator[list[str]]:
        """Some at a time; whoever comes or goes meanwhile may be missing."""
        cursor = 0
        while True:
            cursor, some = await self._scan(place, cursor)
            yield some
            if not cursor:
                return

    @asks_redis
    async def _scan(self, place: Place, cursor: int) -> tuple[int, list[str]]:
        command: Command = ("ZSCAN", key_of("beats", place), cursor, "COUNT", CHUNK)
        [(then, found)] = await pipelined(self._redis, [command])
        return int(then), [str(viewer) for viewer, _ in found]

    @asks_redis
    async def is_at_origin(self, place: Place, viewer: str) -> bool:
        """Whether the last look there found it."""
        asked = ("SISMEMBER", key_of("viewers", place), viewer)
        return await pipelined(self._redis, [asked]) == [1]

    @asks_redis
    async def asked(self, counts: Mapping[str, int], now: float) -> None:
        """So many asked to go on, by cache."""
        commands: list[Command] = []
        for node, count in counts.items():
            key = _asked(node, now)
            commands += [("INCRBY", key, count), ("EXPIRE", key, KEEP_LOAD)]
        await pipelined(self._redis, commands)

    @asks_redis
    async def listed(self, node: str, count: int) -> None:
        await pipelined(self._redis, [("SET", _listed(node), count, "EX", KEEP_LOAD)])

    @asks_redis
    async def readers(self, nodes: Sequence[Node], now: float) -> dict[str, int]:
        """How many each has, of those where that is known. At a cache each asks once in
        ten seconds."""
        commands = (("GET", key) for node in nodes for key in _load(node.name, now))
        found = await pipelined(self._redis, commands)
        loads = zip(nodes, found[::3], found[1::3], found[2::3], strict=True)
        return {
            node.name: max(int(listed or 0), int(asked or 0))
            for node, listed, asked, since in loads
            if (_is_known(since, now) if node.role == "cache" else listed is not None)
        }


def _count(node: str, ids: Sequence[int], now: float) -> Command:
    places = [(session_id, node) for session_id in ids]
    pairs = ((key_of("beats", at), key_of("viewers", at)) for at in places)
    keys = [key for pair in pairs for key in pair]
    return ("EVAL", _COUNT, len(keys), *keys, now)


def _load(node: str, now: float) -> Sequence[str]:
    return _listed(node), _asked(node, now - ASKS_AFTER), _heard(node)


def _is_known(heard_since: str | None, now: float) -> bool:
    return heard_since is not None and float(heard_since) <= now - KNOWN_AFTER


def _asked(node: str, now: float) -> str:
    return f"asked:{{{node}}}:{int(now // ASKS_AFTER)}"


def _whole(edge: str) -> Place:
    """All who ask there: no session has this number."""
    return 0, edge


def _sent(now: float) -> str:
    return f"sent:{int(now // SENT_EVERY)}"


def _heard(cache: str) -> str:
    return f"heard:{{{cache}}}"


def _listed(node: str) -> str:
    return f"readers:{{{node}}}"
