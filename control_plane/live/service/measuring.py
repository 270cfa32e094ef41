"""How streams come in: each session is measured from a node's lists, round by round,
and what goes wrong or is mended is an event."""

import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field

import structlog

from control_plane.base.database import Connection, Pool
from control_plane.base.faults import Away
from control_plane.base.tasks import Loop, in_turns
from control_plane.events.log import Happened, append_session_events
from control_plane.events.model import EventType
from control_plane.live.model.ingest import (
    RULES,
    Health,
    Ingest,
    Problem,
    Sample,
    Segment,
    changes,
    first,
    step,
)
from control_plane.live.model.nodes import Node, Publisher
from control_plane.live.model.sessions import LiveSession
from control_plane.live.store import intake
from control_plane.live.store import sessions as session_store
from control_plane.live.store.ingest import IngestStore

log = structlog.get_logger(__name__)

KEEP_EVERY = 20.0  # seconds


@dataclass
class _Followed:
    """A node that we look at. ``before``: what was wrong when we began. ``segments``:
    what the next measure takes in. ``written``: whose health stands in Redis."""

    node: Node
    before: Mapping[int, tuple[Problem, ...]]
    written: Set[int]
    sessions: Sequence[LiveSession] = ()
    states: Mapping[int, Ingest] = field(default_factory=dict)
    segments: dict[int, Segment] = field(default_factory=dict)


class Measuring:
    def __init__(
        self, pool: Pool, store: IngestStore, clock: Callable[[], float] = time.time
    ) -> None:
        self._pool = pool
        self._store = store
        self._clock = clock
        self._nodes: dict[str, _Followed] = {}

    def live(self) -> list[tuple[Node, LiveSession]]:
        """Those that are live on the nodes that this process looks at."""
        return [
            (followed.node, session)
            for followed in self._nodes.values()
            for session in followed.sessions
            if session.status == "live"
        ]

    def shown(self, node: str, session_id: int, segment: Segment) -> None:
        """What its newest segment told."""
        followed = self._nodes.get(node)
        if followed is not None and session_id in followed.states:
            followed.segments[session_id] = segment

    async def look(
        self,
        node: Node,
        publishers: Sequence[Publisher],
        open_sessions: Sequence[LiveSession],
    ) -> None:
        """Take in a look that was answered."""
        followed = self._nodes.get(node.name) or await self._begin(node)
        segments, followed.segments = followed.segments, {}
        samples = _samples(publishers, open_sessions, self._clock())
        states = await _measured(followed, segments, samples, open_sessions)
        await self._tell(followed.states, states)
        new = {
            session_id: state.health
            for session_id, state in states.items()
            if state is not followed.states.get(session_id)
        }
        followed.node, followed.sessions = node, open_sessions
        followed.states = states
        await self._write(followed, new)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Operators see later how each came in."""
        async with Loop("intake_minutes", self.keep, KEEP_EVERY).running():
            yield

    async def keep(self) -> None:
        healths = {
            session.id: followed.states[session.id].health
            for followed in self._nodes.values()
            for session in followed.sessions
            if session.status == "live" and session.id in followed.states
        }
        if healths:
            await intake.note(self._pool, healths)

    def drop_node(self, name: str) -> None:
        """It is another's from here on, or gone."""
        self._nodes.pop(name, None)

    async def _begin(self, node: Node) -> _Followed:
        """Somebody else may have measured until now."""
        try:
            known = await self._store.of_node(node.name)
        except Away:
            known = {}
        before = {session: health.problems for session, health in known.items()}
        followed = self._nodes[node.name] = _Followed(node, before, known.keys())
        return followed

    async def _write(self, followed: _Followed, new: Mapping[int, Health]) -> None:
        gone = followed.written - followed.states.keys()
        if not new and not gone:
            return
        try:
            await self._store.write(followed.node.name, new, gone)
        except Away as error:
            log.warning("health not written", error=type(error).__name__)
        else:
            followed.written = followed.states.keys()

    async def _tell(
        self, before: Mapping[int, Ingest], after: Mapping[int, Ingest]
    ) -> None:
        """Before anything is remembered: what could not be told is told next time."""
        told: dict[EventType, list[Happened]] = {
            "ingest.degraded": [],
            "ingest.recovered": [],
        }
        for session_id, state in after.items():
            known = before.get(session_id)
            if known is None or known is state:
                continue
            came, went = changes(known.health, state.health)
            told["ingest.degraded"] += [
                (session_id, _degraded(one, state)) for one in came
            ]
            told["ingest.recovered"] += [(session_id, {"problem": one}) for one in went]
        if any(told.values()):
            async with self._pool.transaction() as connection:
                await _append(connection, told)


def _samples(
    publishers: Sequence[Publisher], open_sessions: Sequence[LiveSession], now: float
) -> dict[int, Sample]:
    """Of those that are live, by session."""
    ids = {one.path: one.id for one in open_sessions if one.status == "live"}
    return {
        ids[one.path]: Sample(now, one.source_id, one.intake)
        for one in publishers
        if one.path in ids and one.intake is not None
    }


async def _measured(
    followed: _Followed,
    segments: Mapping[int, Segment],
    samples: Mapping[int, Sample],
    open_sessions: Sequence[LiveSession],
) -> dict[int, Ingest]:
    """What is not live for the moment stays as it was."""
    states: dict[int, Ingest] = {}
    async for session in in_turns(open_sessions):
        known, sample = followed.states.get(session.id), samples.get(session.id)
        if known is not None and session.id in segments:
            known = known.shown(segments[session.id])
        if known is not None and sample is not None:
            states[session.id] = step(known, sample)
        elif known is not None:
            states[session.id] = known
        elif sample is not None:
            before = followed.before.get(session.id, ())
            states[session.id] = first(sample, before)
    return states


def _degraded(problem: Problem, state: Ingest) -> dict[str, object]:
    return {"problem": problem, "advice": RULES[problem].advice(state.health)}


async def _append(
    connection: Connection, told: Mapping[EventType, Sequence[Happened]]
) -> None:
    """Of those that are still live."""
    ids = {session_id for many in told.values() for session_id, _ in many}
    locked = await session_store.lock(connection, ids)
    live = {i for i, session in locked.items() if session.status == "live"}
    for kind, many in told.items():
        if still := [one for one in many if one[0] in live]:
            await append_session_events(connection, kind, still)
