"""The end of the log, read once for all in this process that follow it.

Nobody is waited for: each reader goes on from its own position. One that falls behind
what is remembered reads from Postgres until it has caught up.
"""

import asyncio
import contextlib
from bisect import bisect_right
from collections.abc import AsyncIterator, Iterator, Sequence

from control_plane.base.database import Pool
from control_plane.base.tasks import Loop
from control_plane.events import store
from control_plane.events.model import BEGINNING, Event, Position

INTERVAL = 0.04  # seconds
AGAIN = 1.0  # seconds
IDLE = 5.0  # seconds
PAGE = 1000  # events
REMEMBERED = 20_000  # events


class Tail:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        #: All that is complete after ``_begin`` and up to ``_end``.
        self._events: list[Event] = []
        self._begin = self._end = BEGINNING
        self._begun = False
        self._followers = 0
        self._wanted = asyncio.Event()
        self._changed = asyncio.Event()

    @contextlib.asynccontextmanager
    async def running(self, interval: float = INTERVAL) -> AsyncIterator[None]:
        """``interval``: seconds between looks, while somebody follows."""
        loop = Loop("events", self._turn, interval, after_failure=AGAIN)
        async with loop.running():
            yield

    @contextlib.contextmanager
    def followed(self) -> Iterator[None]:
        """Only meanwhile the log is looked at."""
        self._followers += 1
        self._wanted.set()
        try:
            yield
        finally:
            self._followers -= 1
            if not self._followers:
                self._wanted.clear()
                self._forget()

    async def end(self) -> Position:
        return await store.end(self._pool)

    async def after(self, position: Position) -> Sequence[Event]:
        """The next ones; waits until there are any."""
        while True:
            begin = self._begin  # as it was before this look
            found = await self._known_after(position)
            if found:
                return found
            position = max(position, begin)
            if position >= self._begin and not self._remembered_after(position):
                await self._changed.wait()

    async def _known_after(self, position: Position) -> Sequence[Event]:
        if self._begun and position >= self._begin:
            return self._remembered_after(position)
        return await store.after(self._pool, position, PAGE)

    def _remembered_after(self, position: Position) -> Sequence[Event]:
        start = bisect_right(self._events, position, key=lambda one: one.position)
        return self._events[start : start + PAGE]

    async def _turn(self) -> None:
        if not self._followers:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(IDLE):
                    await self._wanted.wait()
        elif not self._begun:
            end = await self.end()
            self._begin = self._end = end
            self._begun = True
            self._wake()
        else:
            while len(await self._read()) == PAGE:
                pass

    async def _read(self) -> Sequence[Event]:
        page = await store.after(self._pool, self._end, PAGE)
        if page:
            self._events += page
            self._end = page[-1].position
            self._let_go(len(self._events) - REMEMBERED)
            self._wake()
        return page

    def _let_go(self, count: int) -> None:
        if count > 0:
            self._begin = self._events[count - 1].position
            del self._events[:count]

    def _forget(self) -> None:
        self._events = []
        self._begin = self._end = BEGINNING
        self._begun = False

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
