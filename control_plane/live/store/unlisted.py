"""What the tokens of readers say that no node's list shows, because they came as a
password or in a header. In Redis, by the ids that lists show, for as long as one does
and a while longer. The tokens themselves are not kept.

Each session has a hash for each period of time: whoever a list shows goes on into the
next, and the others go away with their own."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeVar

import msgspec

from control_plane.base.faults import Away
from control_plane.base.redis import (
    PLACES,
    Command,
    Redis,
    asks_redis,
    pipelined,
    told,
    translated,
)
from control_plane.base.tokens import ViewerToken

LEAST = 300.0  # seconds of a period
CHUNK = 500  # readers a command

ByReader = dict[str, ViewerToken]
Kept = TypeVar("Kept")
Told = TypeVar("Told")
_decode = msgspec.json.Decoder(ViewerToken).decode

_KEEP = """
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('EXPIRE', KEYS[1], ARGV[1])
"""


class UnlistedTokens:
    def __init__(self, redis: Redis, seconds: float) -> None:
        """``seconds``: for so long at least whoever no list shows is remembered."""
        self._redis = redis
        self._seconds = seconds

    @asks_redis
    async def keep(self, found: Mapping[int, ByReader]) -> None:
        """By session. Raises Away once all is kept that can be."""
        await told(self._redis, self._kept(self._period(time.time()), found))

    async def of(
        self, listed: Mapping[int, Sequence[str]], now: float
    ) -> list[ByReader | Away]:
        """By session, whom lists show: they are remembered on. Parts of a cluster can
        be away."""
        return await _by_place(listed, partial(self._of, self._period(now)))

    async def all_of(
        self, session_ids: Iterable[int], now: float
    ) -> list[ByReader | Away]:
        """Also whom no list shows."""
        sessions = dict.fromkeys(session_ids)
        return await _by_place(sessions, partial(self._all_of, self._period(now)))

    def _period(self, now: float) -> int:
        return int(now / self._seconds)

    def _kept(self, period: int, found: Mapping[int, ByReader]) -> Iterator[Command]:
        keep = int(2 * self._seconds)
        for session_id, tokens in found.items():
            for some in _some(list(tokens.items())):
                key = _key(session_id, period)
                yield ("EVAL", _KEEP, 1, key, keep, *_fields(some))

    async def _of(self, period: int, listed: Mapping[int, Sequence[str]]) -> ByReader:
        new = await self._read(period, listed)
        left = {
            one: [i for i in ids if i not in new[one]] for one, ids in listed.items()
        }
        old = await self._read(period - 1, left)
        await pipelined(self._redis, self._kept(period, old))
        return _joined([*old.values(), *new.values()])

    async def _read(
        self, period: int, listed: Mapping[int, Sequence[str]]
    ) -> dict[int, ByReader]:
        found: dict[int, ByReader] = {session_id: {} for session_id in listed}
        exist = (("EXISTS", _key(session_id, period)) for session_id in listed)
        there = zip(listed.items(), await pipelined(self._redis, exist), strict=True)
        asked = [
            (one, some) for (one, ids), is_one in there if is_one for some in _some(ids)
        ]
        texts = await pipelined(
            self._redis,
            (("HMGET", _key(session_id, period), *ids) for session_id, ids in asked),
        )
        for (session_id, ids), known in zip(asked, texts, strict=True):
            found[session_id] |= _tokens(zip(ids, known, strict=True))
        return found

    async def _all_of(self, period: int, sessions: Iterable[int]) -> ByReader:
        keys = [_key(one, when) for one in sessions for when in (period - 1, period)]
        return _joined([await self._scan(key) for key in keys])

    async def _scan(self, key: str) -> ByReader:
        """A piece at a time: one answer with all of them would hold up Redis."""
        found: ByReader = {}
        cursor = -1
        while cursor:
            asked = ("HSCAN", key, max(cursor, 0), "COUNT", CHUNK)
            [(cursor, some)] = await pipelined(self._redis, [asked])
            found |= _tokens(some.items())
        return found


async def _by_place(
    sessions: Mapping[int, Kept],
    ask: Callable[[Mapping[int, Kept]], Awaitable[Told]],
) -> list[Told | Away]:
    places: dict[int, dict[int, Kept]] = {}
    for session_id, one in sessions.items():
        places.setdefault(_place(session_id), {})[session_id] = one

    async def answer(some: Mapping[int, Kept]) -> Told | Away:
        try:
            with translated():
                return await ask(some)
        except Away as error:
            return error

    return await asyncio.gather(*map(answer, places.values()))


def _fields(tokens: Iterable[tuple[str, ViewerToken]]) -> Iterator[str]:
    for reader_id, token in tokens:
        yield reader_id
        yield msgspec.json.encode(token).decode()


def _tokens(fields: Iterable[tuple[str, str | None]]) -> ByReader:
    return {reader_id: _decode(text) for reader_id, text in fields if text}


def _joined(found: Iterable[ByReader]) -> ByReader:
    return {reader_id: token for one in found for reader_id, token in one.items()}


def _some(many: Sequence[Kept]) -> Iterator[Sequence[Kept]]:
    for start in range(0, len(many), CHUNK):
        yield many[start : start + CHUNK]


def _key(session_id: int, period: int) -> str:
    return f"unlisted:{{{_place(session_id)}}}:{session_id}:{period}"


def _place(session_id: int) -> int:
    return session_id % PLACES
