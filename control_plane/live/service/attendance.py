"""How many watched, minute by minute, and for how long; kept when Redis forgets.

Only confirmed viewers count. Unique viewers are estimated: give or take 0.8 % for most
sessions. Without a token every new HLS session or connection is another viewer.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Mapping
from itertools import islice

from control_plane.base.database import Pool
from control_plane.base.faults import Away, Collided
from control_plane.base.tasks import Loop
from control_plane.live.model.attendance import Span, merged
from control_plane.live.store import attendance as store
from control_plane.live.store.viewers import ViewerSets

FLUSH_EVERY = 10.0  # seconds
#: While Postgres is away: spans that wait for it. Later ones are lost.
MOST_WAITING = 100_000
#: While Redis is away: viewers who wait for it. Later ones are lost.
MOST_NAMES = 1_000_000


class Attendance:
    def __init__(self, pool: Pool, sets: ViewerSets) -> None:
        self._pool = pool
        self._sets = sets
        self._spans: dict[tuple[int, int], Span] = {}
        self._joined: dict[int, set[str]] = {}
        self._names = 0  # in all of them

    def watched(self, viewers: Mapping[int, int], since: float, until: float) -> None:
        """So many, by session, all the time between two looks."""
        for session_id, count in viewers.items():
            if count:
                seconds = count * (until - since)
                self._add(Span(session_id, since, until, seconds, count))

    def joined(self, viewers: Mapping[int, Collection[str]]) -> None:
        """By session, those who may not have been among its viewers before."""
        for session_id, some in viewers.items():
            waiting = self._joined.setdefault(session_id, set())
            before = len(waiting)
            waiting.update(islice(some, MOST_NAMES - self._names))
            self._names += len(waiting) - before

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        try:
            async with Loop("attendance", self.flush, FLUSH_EVERY).running():
                yield
        finally:
            with contextlib.suppress(Away, Collided):
                await self.flush()

    async def flush(self) -> None:
        """What is noted stands in Postgres when this returns. What may not stand there
        is noted again: nothing is added twice. While Redis is away only who they were
        waits."""
        try:
            unique = await self._unique()
        except Away:
            await self._write({})
            raise
        await self._write(unique)

    async def _unique(self) -> Mapping[int, int]:
        """How many viewers each session has had, of those where somebody joined."""
        joined, self._joined, self._names = self._joined, {}, 0
        if not joined:
            return {}
        try:
            found = await self._sets.unique(joined)
        except (Away, asyncio.CancelledError):
            self.joined(joined)
            raise
        return dict(zip(joined, found, strict=True))

    async def _write(self, unique: Mapping[int, int]) -> None:
        spans, self._spans = self._spans, {}
        if not spans and not unique:
            return
        try:
            async with self._pool.transaction() as connection:
                await store.add(connection, list(spans.values()), unique)
        except (Away, Collided, asyncio.CancelledError):
            self.joined(dict.fromkeys(unique, ()))  # Redis knows who they are
            for span in spans.values():
                self._add(span)
            raise

    def _add(self, span: Span) -> None:
        key = (span.session_id, span.minute)
        if key in self._spans or len(self._spans) < MOST_WAITING:
            self._spans[key] = merged(self._spans.get(key), span)
