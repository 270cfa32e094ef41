"""One subscription for each thing that is followed, however many clients follow it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from contextvars import Context

import structlog

from control_plane.pages.updates import NoSuchStream

log = structlog.get_logger(__name__)

Open = Callable[[str], AbstractAsyncContextManager[AsyncIterator[object]]]


class Over(Exception):
    """The subscription ended; asking again may help."""


class Topic:
    """The newest frame only: who was busy meanwhile misses the ones between."""

    def __init__(self) -> None:
        self.followers = 0
        self.newest: object = None
        self._frame = b""
        self._version = 0
        self._ended: Exception | None = None
        self._bells: set[asyncio.Event] = set()

    def put(self, update: object) -> None:
        self.newest = update
        self._frame = _frame(update)
        self._version += 1
        self._wake()

    def end(self, reason: Exception) -> None:
        self._ended = reason
        self._wake()

    @contextlib.contextmanager
    def ringing(self, bell: asyncio.Event) -> Iterator[None]:
        """The bell is set whenever there is something new."""
        self._bells.add(bell)
        try:
            yield
        finally:
            self._bells.discard(bell)

    def after(self, version: int) -> tuple[int, bytes]:
        """The newest frame if it is newer than ``version``, or nothing. Raises
        NoSuchStream or Over."""
        if self._version > version:
            return self._version, self._frame
        if self._ended is not None:
            # A copy: one exception raised in many tasks gathers their frames.
            raise type(self._ended)
        return version, b""

    async def first(self) -> tuple[int, bytes]:
        """As soon as there is one."""
        bell = asyncio.Event()
        with self.ringing(bell):
            while not (found := self.after(0))[1]:
                bell.clear()
                await bell.wait()
        return found

    def _wake(self) -> None:
        for bell in self._bells:
            bell.set()


class Relay:
    def __init__(self, open_updates: Open) -> None:
        self._open = open_updates
        self._topics: dict[str, Topic] = {}
        self._pumps: dict[Topic, asyncio.Task[None]] = {}

    @contextlib.asynccontextmanager
    async def follow(self, name: str) -> AsyncIterator[Topic]:
        topic = self._topics.get(name) or self._start(name)
        topic.followers += 1
        try:
            yield topic
        finally:
            topic.followers -= 1
            if not topic.followers:
                await self._stop(name, topic)

    def _start(self, name: str) -> Topic:
        topic = self._topics[name] = Topic()
        work = self._pump(name, topic)
        # It outlives the request of who came first, and is not a part of it.
        self._pumps[topic] = asyncio.create_task(work, context=Context())
        return topic

    async def _stop(self, name: str, topic: Topic) -> None:
        self._forget(name, topic)
        pump = self._pumps.pop(topic)
        pump.cancel()
        await asyncio.gather(pump, return_exceptions=True)

    async def _pump(self, name: str, topic: Topic) -> None:
        try:
            async with self._open(name) as updates:
                async for update in updates:
                    topic.put(update)
            topic.end(Over())
        except NoSuchStream as unknown:
            topic.end(unknown)
        except Exception:
            log.exception("the updates of a page failed", name=name)
            topic.end(Over())
        finally:
            self._forget(name, topic)

    def _forget(self, name: str, topic: Topic) -> None:
        """The next to come opens anew; who is here still sees how it ended."""
        if self._topics.get(name) is topic:
            del self._topics[name]


def _frame(update: object) -> bytes:
    return b"data: %s\n\n" % json.dumps(update, separators=(",", ":")).encode()
