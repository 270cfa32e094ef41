"""Delivering to one endpoint.

Each subject's events go one after the other, different subjects' side by side. An event
that is not taken parks its subject: that one is tried again later, and its later events
wait behind it, while the others go on. When several in a row are not taken, or it asks
to be left alone, the receiver is away and all of them wait. What is behind the saved
position is delivered or parked.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from control_plane.base.database import Executor, Pool
from control_plane.events import store as events
from control_plane.events.model import Event, Position
from control_plane.events.reading import About
from control_plane.events.tail import Tail
from control_plane.webhooks.model.endpoints import Endpoint
from control_plane.webhooks.model.messages import Answer, Parked
from control_plane.webhooks.model.retries import GIVE_UP_AFTER, IN_A_ROW, delay
from control_plane.webhooks.service.attempts import Attempts
from control_plane.webhooks.service.gate import Gate, Over
from control_plane.webhooks.store import endpoints, waiting

WINDOW = 1000  # events on their way
SAVE_EVERY = 1.0  # seconds; so much may be sent again after a crash
#: Events of a parked subject that are in memory: many subjects may wait.
CATCHES_UP = 100
FAILING = 10  # where the first will not be taken, perhaps


@dataclass(slots=True)
class _Place:
    """An event on its way, or all that nobody wanted up to there."""

    position: Position
    done: bool = False


@dataclass(slots=True)
class _Waiting:
    """A parked subject. ``skipped``: the last of it that was passed over since.
    ``taken``: how many messages were at its last failure. ``saved``: the ``seq`` that
    stands in the table, or one before it."""

    of: Parked
    skipped: int
    due: float  # of the monotonic clock
    taken: int
    saved: int
    page: deque[Event] = field(default_factory=deque)

    @property
    def about(self) -> About:
        return self.of.subject, self.of.subject_id


@dataclass
class Pump:
    endpoint: Endpoint
    pool: Pool
    tail: Tail
    attempts: Attempts
    owner: str
    is_ours: Callable[[], bool]
    goes_well: Callable[[], None]

    _open: deque[_Place] = field(default_factory=deque)
    _lanes: dict[About, deque[tuple[Event, _Place]]] = field(default_factory=dict)
    _waiting: dict[About, _Waiting] = field(default_factory=dict)
    _ahead: dict[About, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._read = self._done = self._saved = self.endpoint.position
        self._room = asyncio.Event()
        self._gate = Gate(
            self.endpoint, self.pool, self.attempts, self.owner, self.is_ours
        )

    async def run(self) -> None:
        """Until the endpoint is another's or switched off."""
        try:
            with self.tail.followed():
                async with asyncio.TaskGroup() as self._tasks:
                    for one in await waiting.parked(self.pool, self.endpoint.id):
                        self._await_retry(one)
                    self._tasks.create_task(self._follow())
                    self._tasks.create_task(self._keep())
        except BaseExceptionGroup as group:
            first = group.exceptions[0]
            if not isinstance(first, Over):
                raise first from None

    async def _follow(self) -> None:
        while True:
            while len(self._open) >= WINDOW:
                self._room.clear()
                await self._room.wait()
            for event in await self.tail.after(self._read):
                self._read = event.position
                self._take(event)

    def _take(self, event: Event) -> None:
        about = event.subject, event.subject_id
        parked = self._waiting.get(about)
        if not self.endpoint.takes(event) or event.seq <= self._ahead.get(about, 0):
            self._pass(event)
        elif parked is not None:
            parked.skipped = event.seq
            self._pass(event)
        else:
            self._ahead.pop(about, None)
            place = _Place(event.position)
            self._open.append(place)
            self._queue(about, event, place)

    def _pass(self, event: Event) -> None:
        """Nothing of it is on its way, so it takes no room."""
        if self._open and self._open[-1].done:
            self._open[-1].position = event.position
        else:
            self._open.append(_Place(event.position))
            self._settle(self._open[-1])

    def _queue(self, about: About, event: Event, place: _Place) -> None:
        if about in self._lanes:
            self._lanes[about].append((event, place))
        else:
            self._lanes[about] = deque([(event, place)])
            self._tasks.create_task(self._lane(about, self._lanes[about]))

    def _settle(self, place: _Place) -> None:
        place.done = True
        while self._open and self._open[0].done:
            self._done = self._open.popleft().position
        if len(self._open) < WINDOW:
            self._room.set()

    async def _lane(self, about: About, queue: deque[tuple[Event, _Place]]) -> None:
        while queue:
            event, place = queue[0]
            if await self._gets_through(event):
                queue.popleft()
                self._settle(place)
            else:
                await self._park(about, event, queue)
        del self._lanes[about]

    async def _gets_through(self, event: Event) -> bool:
        """Tries it for as long as the receiver is away."""
        taken: int | None = None
        while not (await self._gate.attempt(event)).taken:
            if not self._gate.away(taken) or self._keeps_others_out():
                return False
            taken = self._gate.taken
        return True

    def _keeps_others_out(self) -> bool:
        """There is no room for another subject, of which none could then show that the
        receiver is there, and there are too few to say that it is away."""
        return len(self._open) >= WINDOW and len(self._lanes) < IN_A_ROW

    async def _park(
        self, about: About, event: Event, queue: deque[tuple[Event, _Place]]
    ) -> None:
        """Once this stands in the table the place behind it may be saved."""
        parked = await self._parked(self.pool, about, event.seq, 1)
        self._await_retry(parked, skipped=queue[-1][0].seq)
        while queue:
            self._settle(queue.popleft()[1])

    def _await_retry(self, parked: Parked, skipped: int = 0) -> None:
        due = time.monotonic() + parked.wait
        one = _Waiting(parked, skipped, due, self._gate.taken, parked.seq)
        self._waiting[one.about] = one
        self._tasks.create_task(self._retry(one))

    async def _retry(self, one: _Waiting) -> None:
        while True:
            await asyncio.sleep(one.due - time.monotonic())
            before = one.skipped
            event = await self._next(one)
            if event is None:
                if one.skipped < one.of.seq:
                    break
                # What was passed over before the look is not kept any more; what was
                # meanwhile may have come too late for it.
                one.of = replace(one.of, seq=max(one.of.seq, before + 1))
            elif (answer := await self._gate.attempt(event, again=True)).taken:
                one.of = replace(one.of, seq=event.seq + 1, attempts=0)
            else:
                await self._failed_again(one, event, answer)
        # From here on new ones take the usual way, those that come late not at all.
        del self._waiting[one.about]
        self._ahead[one.about] = one.of.seq - 1
        await waiting.unpark(
            self.pool, self.endpoint, self.owner, *one.about, one.of.parked_at
        )

    async def _next(self, one: _Waiting) -> Event | None:
        """The first that is not delivered; None: there is none any more."""
        while True:
            while one.page:
                event = one.page[0]
                if event.seq >= one.of.seq and self.endpoint.takes(event):
                    return event
                one.page.popleft()
                one.of = replace(one.of, seq=max(one.of.seq, event.seq + 1))
            limit = FAILING if one.of.attempts else CATCHES_UP
            one.page.extend(
                await events.of_subject(
                    self.pool, *one.about, one.of.seq - 1, limit=limit
                )
            )
            if not one.page:
                return None

    async def _failed_again(self, one: _Waiting, event: Event, answer: Answer) -> None:
        one.page.clear()  # it may be hours until the next time
        attempts, away = one.of.attempts + 1, self._gate.away(one.taken)
        one.taken = self._gate.taken
        one.of = await self._parked(
            self.pool, one.about, event.seq, attempts, away=away
        )
        # Since when this very event fails: what went before it was taken perhaps.
        since = one.of.failed_since
        if not away and datetime.now(UTC) - since > GIVE_UP_AFTER:
            await self._give_up(one, event, answer)
        one.due = time.monotonic() + one.of.wait

    async def _give_up(self, one: _Waiting, event: Event, answer: Answer) -> None:
        async with self.pool.transaction() as connection:
            one.of = await self._parked(connection, one.about, event.seq + 1, 0)
            await waiting.bury(
                connection, self.endpoint.id, event.position.id, answer.reason
            )

    async def _parked(
        self,
        executor: Executor,
        about: About,
        seq: int,
        attempts: int,
        *,
        away: bool = False,
    ) -> Parked:
        """Raises Over."""
        parked = await waiting.park(
            executor,
            self.endpoint,
            self.owner,
            *about,
            seq,
            attempts,
            _delay(attempts),
            away=away,
        )
        if parked is None:
            raise Over
        return parked

    async def _keep(self) -> None:
        """Saves how far it is, whenever that changed."""
        while True:
            await asyncio.sleep(SAVE_EVERY)
            self.goes_well()
            await self.save()

    async def save(self) -> None:
        """Raises Over."""
        await self._save_waiting()
        at = self._done
        if at == self._saved:
            return
        if not await endpoints.save_position(self.pool, self.endpoint, self.owner, at):
            raise Over
        self._saved = at

    async def _save_waiting(self) -> None:
        """How far those are that catch up."""
        every = self._waiting.values()
        ahead = [(one, one.of) for one in every if one.of.seq > one.saved]
        if not ahead:
            return
        parked = [of for _, of in ahead]
        await waiting.advance(self.pool, self.endpoint, self.owner, parked)
        for one, of in ahead:
            one.saved = of.seq


def _delay(attempts: int) -> float:
    return delay(attempts, random.random())  # noqa: S311
