"""Counting who watches, from nodes' lists of readers with their byte counters.

Redis holds each session's viewers as the last look found them; a look writes who came
and who went. Everything is written anew where somebody else has written since, or
Redis has forgotten.

What others compare with their own clocks is in unix time, all else monotonic: a clock
may be set back.
"""

import asyncio
import time
from collections.abc import (
    AsyncIterator,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from collections.abc import Set as AbstractSet
from dataclasses import replace
from secrets import token_hex

import structlog

from control_plane.base.faults import Away
from control_plane.base.secrets import Derived
from control_plane.base.turns import Turn, Turns
from control_plane.live.model.nodes import Reader
from control_plane.live.model.sessions import LiveSession
from control_plane.live.model.viewers import (
    NOBODY,
    WINDOW,
    Audience,
    Change,
    Listed,
    Look,
    Watched,
    change,
)
from control_plane.live.service.attendance import Attendance
from control_plane.live.store.beats import Beats
from control_plane.live.store.viewers import KEEP_VIEWERS, Looked, ViewerSets

log = structlog.get_logger(__name__)

SLICE = 1000  # readers; more at once would hold the event loop
COMPARED = 5000  # viewers, the same
CHECK_EVERY = KEEP_VIEWERS / 5  # seconds

Audiences = Mapping[int, Audience]  # by session


class Tally:
    """One look at a node, under way. Of all looks one at a time goes on, so that many
    hold the event loop no longer than one does."""

    def __init__(self, node: str, look: Look, turn: Turn, since: float | None) -> None:
        """``since``: when the look before was begun, as ``begun_at``."""
        self._turn = turn
        turn.begin()
        self._since = since
        self.node = node
        self.look = look
        self.asked_at = time.time()
        self.begun_at = time.monotonic()

    @property
    def took(self) -> float:
        """Seconds, so far."""
        return time.monotonic() - self.begun_at

    @property
    def bits(self) -> int:
        """A second, to readers, since the look before."""
        if self._since is None:
            return 0
        return int(8 * self.look.sent / max(self.begun_at - self._since, 0.1))

    async def take(self, readers: Sequence[Reader]) -> None:
        for start in range(0, len(readers), SLICE):
            async with self._turn:
                self.look.take(readers[start : start + SLICE], time.monotonic())
                await asyncio.sleep(0)


class Counting:
    def __init__(
        self,
        sets: ViewerSets,
        beats: Beats,
        viewer_key: Derived,
        attendance: Attendance,
        turns: Turns,
    ) -> None:
        self._turns = turns
        self._sets = sets
        self._beats = beats
        self._viewer_key = viewer_key
        self._attendance = attendance
        self._me = token_hex(8)
        self._nodes: dict[str, _Node] = {}

    def look(self, node: str) -> Tally:
        """Just before the node is asked."""
        known = self._nodes.setdefault(node, _Node(Watched(self._viewer_key)))
        turn = self._turns.of(node)
        return Tally(node, known.watched.look(), turn, known.begun_at)

    async def count(
        self, tally: Tally, open_sessions: Iterable[LiveSession], *, lists_hls: bool
    ) -> dict[int, int]:
        """Take in a look that was answered. How many viewers are confirmed, by
        session; those that are not live or reconnecting have none. While Redis is away
        who is in no list of the node's counts for a while as it did last."""
        node, now = self._nodes[tally.node], time.time()
        found = node.saw(tally)
        audiences = {
            session.id: _audience(session, found, lists_hls)
            for session in open_sessions
            if session.is_watchable
        }
        told = tally.asked_at if lists_hls and node.is_complete else 0.0
        # The next look may take as long as this one did.
        reach = WINDOW + 2 * tally.took
        looked = Looked(now, now + reach, told, self._me)
        try:
            await self._write(tally.node, node, audiences, looked)
            await self._look_beside(tally, node, now, lists_hls=lists_hls)
        except Away as error:
            log.warning("viewers not shown", node=tally.node, error=repr(error))
            await self._not_written(node, audiences)
        confirmed = node.confirmed
        self._attendance.watched(confirmed, now - min(reach, node.counted()), now)
        return confirmed

    def listed(self) -> list[tuple[str, list[Listed]]]:
        """By node, as the last looks of this process found them."""
        return [(name, [*node.watched.readers]) for name, node in self._nodes.items()]

    def watching(self) -> Iterator[tuple[int, str]]:
        """Session and viewer, of those found by the last looks of this process."""
        for node in self._nodes.values():
            for session_id, audience in node.audiences.items():
                for viewer in audience.confirmed | audience.new:
                    yield session_id, viewer
            for session_id, viewers in node.steady.items():
                for viewer in viewers:
                    yield session_id, viewer

    async def watching_at_edges(self) -> AsyncIterator[list[tuple[int, str]]]:
        """The same of those sessions where they are watched else, some at a time."""
        places = [
            (session_id, name)
            for name, node in self._nodes.items()
            for session_id, count in node.beating.items()
            if count
        ]
        for place in places:
            async for viewers in self._beats.viewers(place):
                yield [(place[0], viewer) for viewer in viewers]

    def saw(self, tally: Tally) -> Mapping[str, Audience]:
        """Take in a look at an edge that was answered: who watches, by path."""
        return self._nodes[tally.node].saw(tally)

    async def beat(
        self,
        tally: Tally,
        audiences: Mapping[str, Audience],
        open_sessions: Iterable[LiveSession],
    ) -> None:
        """They count at their origins, until the next look or the one after it."""
        now = time.time()
        until = now + WINDOW / 2 + 2 * tally.took
        await self._beats.listed(tally.node, tally.look.size)
        seen = {
            (one.id, one.node): dict.fromkeys(audiences[one.path].confirmed, until)
            for one in open_sessions
            if one.is_watchable and one.path in audiences
        }
        await self._beats.beat({at: who for at, who in seen.items() if who}, now)

    def drop_node(self, node: str) -> None:
        """It is another's from here on, or gone."""
        self._nodes.pop(node, None)

    async def _write(
        self, name: str, node: "_Node", audiences: Audiences, looked: Looked
    ) -> None:
        before = await self._sets.looked(name)
        ours = before == node.looked
        known = node.audiences if ours else {}
        node.looked = None  # until all is written
        changes = await _changes(known, audiences)
        if ours:
            over = [i for i in known if i not in audiences]
            await self._changed(name, changes)
            await self._sets.replace({(i, name): () for i in over})
        elif node.is_complete or before.until < looked.at:
            there = {(i, name): one.came for i, one in changes.items()}
            await self._sets.replace(there)
        else:
            await self._changed(name, changes)
        joined = {i: one.confirmed for i, one in changes.items() if one.confirmed}
        self._attendance.joined(joined)
        told = max(before.told, looked.told)
        written = replace(looked, told=told)
        await self._sets.look_ended(name, written)
        node.audiences = audiences
        if ours or node.is_complete:
            node.looked = written
        if ours and time.monotonic() > node.checked_at + CHECK_EVERY:
            await self._check(name, node)

    async def _not_written(self, node: "_Node", audiences: Audiences) -> None:
        """Whoever watches is among the session's viewers all the same."""
        changes = await _changes(node.audiences, audiences)
        joined = {i: one.confirmed for i, one in changes.items() if one.confirmed}
        self._attendance.joined(joined)
        node.audiences = audiences
        node.looked = None
        if node.looked_beside_at < time.monotonic() - WINDOW:
            node.steady, node.beating = {}, {}

    async def _look_beside(
        self, tally: Tally, node: "_Node", now: float, *, lists_hls: bool
    ) -> None:
        """At those of whom Redis alone knows."""
        name, ids = tally.node, node.audiences.keys()
        node.steady = {} if lists_hls else await self._steady(name, ids, now)
        count = sum(len(one.confirmed) for one in node.audiences.values())
        count += sum(map(len, node.steady.values()))
        await self._beats.listed(name, max(tally.look.size, count))
        node.beating = await self._at_edges(name, ids, now)
        node.looked_beside_at = time.monotonic()

    async def _changed(self, node: str, changes: Mapping[int, Change]) -> None:
        moved = {i: (one.came, one.went) for i, one in changes.items()}
        await self._sets.change(node, moved)

    async def _check(self, name: str, node: "_Node") -> None:
        """Redis may have thrown out some of it. If so, all is written next time."""
        node.checked_at = time.monotonic()
        there = {i: one.size for i, one in node.audiences.items()}
        watched = [i for i, count in there.items() if count]
        found = await self._sets.keep([(i, name) for i in watched])
        if found != [there[i] for i in watched]:
            node.looked = None

    async def _at_edges(
        self, node: str, ids: Collection[int], now: float
    ) -> dict[int, int]:
        """And so who came there is among the session's viewers."""
        counts = await self._beats.count(node, ids, now)
        self._attendance.joined({i: () for i, count in counts.items() if count})
        return counts

    async def _steady(
        self, node: str, ids: Iterable[int], now: float
    ) -> Mapping[int, Sequence[str]]:
        steady = await self._sets.steady([(i, node) for i in ids], now - WINDOW)
        self._attendance.joined(steady)
        return steady


class _Node:
    """One that we look at, and what of it stands in Redis."""

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        self.audiences: Audiences = {}
        self.steady: Mapping[int, Sequence[str]] = {}
        self.beating: Mapping[int, int] = {}
        self.looked: Looked | None = None
        self.looked_beside_at = float("-inf")
        self.checked_at = float("-inf")
        self.counted_at: float | None = None
        self.begun_at: float | None = None

    @property
    def confirmed(self) -> dict[int, int]:
        """How many, by session."""
        return {
            i: len(one.confirmed) + self._beside(i, one.confirmed)
            for i, one in self.audiences.items()
        }

    def _beside(self, session_id: int, confirmed: AbstractSet[str]) -> int:
        steady = self.steady.get(session_id, ())
        at_edges = self.beating.get(session_id, 0)
        return at_edges + sum(viewer not in confirmed for viewer in steady)

    @property
    def is_complete(self) -> bool:
        return self.watched.complete(time.monotonic())

    def saw(self, tally: Tally) -> Mapping[str, Audience]:
        self.begun_at = tally.begun_at
        return self.watched.saw(tally.look, time.monotonic())

    def counted(self) -> float:
        """Seconds since it was the last time; 0: never."""
        now = time.monotonic()
        before, self.counted_at = self.counted_at, now
        return 0.0 if before is None else now - before


def _audience(
    session: LiveSession, found: Mapping[str, Audience], lists_hls: bool
) -> Audience:
    audience = found.get(session.path, NOBODY)
    if lists_hls and session.status == "live":
        return audience
    return Audience(audience.confirmed)


async def _changes(before: Audiences, after: Audiences) -> dict[int, Change]:
    changes: dict[int, Change] = {}
    compared = 0
    for session_id, audience in after.items():
        changes[session_id] = change(before.get(session_id, NOBODY), audience)
        compared += len(audience.confirmed)
        if compared > COMPARED:
            compared = 0
            await asyncio.sleep(0)
    return changes
