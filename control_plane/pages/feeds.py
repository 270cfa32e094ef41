"""What happens in the sessions that somebody follows: each event once, as bytes that
are everybody's."""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from itertools import groupby

from control_plane.base.batches import Shared
from control_plane.base.tasks import Loop
from control_plane.events.model import Event
from control_plane.events.tail import Tail

REMEMBERED = 2000  # events of a session
IDLE = 5.0  # seconds
AGAIN = 1.0  # seconds

#: What a session's log says after this number.
Missed = Callable[[int, int], Coroutine[None, None, Sequence[Event]]]
#: The number of its newest event; 0: there is none.
Last = Callable[[int], Coroutine[None, None, int]]


class Feed:
    """Of one session, from the moment that somebody follows it."""

    def __init__(self) -> None:
        self.bells: set[asyncio.Event] = set()
        self.last = 0
        self._frames: deque[tuple[int, bytes]] = deque(maxlen=REMEMBERED)
        self._joined: dict[int, bytes] = {}

    def put(self, events: Sequence[Event]) -> None:
        for event in events:
            if self.last and event.seq != self.last + 1:
                self._frames.clear()  # a hole: who needs what is before asks the log
            self._frames.append((event.seq, frame(event)))
            self.last = event.seq
        self._joined.clear()
        for bell in self.bells:
            bell.set()

    @property
    def first(self) -> int:
        """Of those remembered; 0: none is."""
        return self._frames[0][0] if self._frames else 0

    def after(self, seq: int) -> bytes | None:
        """None: some of it is not remembered."""
        if self.last <= seq:
            return b""
        if self.first > seq + 1:
            return None
        if seq not in self._joined:
            frames = (one for number, one in self._frames if number > seq)
            self._joined[seq] = b"".join(frames)
        return self._joined[seq]


class Feeds:
    """By session, as long as each is followed."""

    def __init__(self, missed: Missed, last: Last) -> None:
        self._missed = Shared[tuple[int, int], Sequence[Event]](
            lambda place: missed(*place)
        )
        self._last = Shared(last)
        self._feeds: dict[int, Feed] = {}
        self._wanted = asyncio.Event()

    @contextlib.contextmanager
    def follow(self, session_id: int, bell: asyncio.Event) -> Iterator[Feed]:
        """The bell is set whenever something happened."""
        feed = self._feeds.setdefault(session_id, Feed())
        feed.bells.add(bell)
        self._wanted.set()
        try:
            yield feed
        finally:
            feed.bells.discard(bell)
            if not feed.bells:
                del self._feeds[session_id]

    async def missed(self, session_id: int, seq: int) -> Sequence[Event]:
        """What the log says after that. Many ask at the end of a session, all of them
        for the same."""
        return await self._missed.get((session_id, seq))

    async def last(self, session_id: int) -> int:
        """The number of the newest event in it."""
        return await self._last.get(session_id)

    def put(self, events: Sequence[Event]) -> None:
        """In the log's order."""
        ours = [e for e in events if e.subject == "session" and e.subject_id in self]
        ours.sort(key=lambda event: event.subject_id)
        for session_id, of_one in groupby(ours, key=lambda event: event.subject_id):
            self._feeds[session_id].put(list(of_one))

    def __contains__(self, session_id: int) -> bool:
        return session_id in self._feeds

    def __bool__(self) -> bool:
        return bool(self._feeds)

    async def wanted(self) -> bool:
        """Waits a while for somebody who follows."""
        if not self._feeds:
            self._wanted.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(IDLE):
                    await self._wanted.wait()
        return bool(self._feeds)


@contextlib.asynccontextmanager
async def fed(feeds: Feeds, tail: Tail) -> AsyncIterator[None]:
    """From the end of the log."""

    async def turn() -> None:
        if not await feeds.wanted():
            return
        with tail.followed():
            position = await tail.end()
            while feeds:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(IDLE):
                        events = await tail.after(position)
                        position = events[-1].position
                        feeds.put(events)
                loop.goes_well()

    loop = Loop("live_events", turn, 0.0, after_failure=AGAIN)
    async with loop.running():
        yield


def frame(event: Event) -> bytes:
    """What everybody may know. Of all but gifts that is their type alone: numbers
    without a gap show a reader that it has missed nothing."""
    said: dict[str, object] = {
        "session": event.subject_id,
        "seq": event.seq,
        "type": event.type,
        "timestamp": event.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    name = "happened"
    if event.type == "gift.sent":
        name, said["gift"] = "gift", event.data
    head = f"id: {event.subject_id}-{event.seq}\nevent: {name}\ndata: "
    return f"{head}{json.dumps(said, separators=(',', ':'))}\n\n".encode()
