"""One subscription for each thing that is followed, however many clients follow it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

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
        self._frame = b""
        self._version = 0
        self._ended: Exception | None = None
        self._changed = asyncio.Event()

    def put(self, frame: bytes) -> None:
        self._frame = frame
        self._version += 1
        self._wake()

    def end(self, reason: Exception) -> None:
        self._ended = reason
        self._wake()

    async def after(self, version: int) -> tuple[int, bytes]:
        """The newest frame, once there is one newer than ``version`` (0: any).
        Raises NoSuchStream or Over."""
        while self._version <= version:
            if self._ended is not None:
                # A copy: one exception raised in many tasks gathers their frames.
                raise type(self._ended)
            await self._changed.wait()
        return self._version, self._frame

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


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
        self._pumps[topic] = asyncio.create_task(self._pump(name, topic))
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
                    topic.put(_frame(update))
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
