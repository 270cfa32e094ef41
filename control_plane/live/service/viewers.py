"""Viewer counts: distinct viewers whose bytes moved within the last 10 seconds.

The truth is the nodes' lists of readers with their byte counters. An allowed read is
a hint: it counts until the next list of a node that lists HLS viewers. Other nodes ask
about every HLS request, so there a viewer counts until 10 seconds after the last.
"""

import contextlib
import time
from collections.abc import AsyncIterator, Iterable, Mapping

import structlog

from control_plane.base.faults import Away
from control_plane.base.secrets import Derived
from control_plane.base.tasks import Loop
from control_plane.live.model.asking import Asking
from control_plane.live.model.nodes import View
from control_plane.live.model.sessions import LiveSession
from control_plane.live.model.viewers import WINDOW, Audience, Watched
from control_plane.live.store.viewers import Kind, ViewerSets

log = structlog.get_logger(__name__)

FLUSH_EVERY = 0.5  # seconds
MOST_HINTS = 200_000
NOBODY = Audience()

Hints = dict[tuple[int, str], dict[str, float]]


class Viewers:
    """``hint`` never waits; everything else may talk to Redis."""

    def __init__(self, sets: ViewerSets, viewer_key: Derived) -> None:
        self._sets = sets
        self._viewer_key = viewer_key
        self._hints: Hints = {}
        self._steady: Hints = {}
        self._hinted = 0
        self._asking = Asking()
        self._nodes: dict[str, Watched] = {}
        self._last_counts: dict[int, tuple[float, int]] = {}

    def hint(self, session_id: int, node: str, viewer: str, *, listed: bool) -> None:
        """``listed``: the node's lists will name this viewer, if it is one."""
        if self._hinted >= MOST_HINTS:
            return
        now = time.time()
        self._hints.setdefault((session_id, node), {})[viewer] = now
        self._hinted += 1
        if not listed and self._asking.steadily((session_id, viewer), now):
            self._steady.setdefault((session_id, node), {})[viewer] = now

    async def observe(
        self,
        node: str,
        view: View,
        open_sessions: Iterable[LiveSession],
        asked_at: float,
    ) -> dict[int, int]:
        """Take in one look at a node's lists, which began at ``asked_at``. How many
        viewers are confirmed, by session; those that are not live or reconnecting
        have none."""
        sessions = [session for session in open_sessions if session.is_watchable]
        now = time.time()
        watched = self._nodes.setdefault(node, Watched(self._viewer_key))
        audiences = watched.look(view.readers, now)
        told = view.lists_hls and watched.complete(now)
        for session in sessions:
            audience = audiences.get(session.path, NOBODY)
            seen = set(audience.confirmed)
            if view.lists_hls and session.status == "live":
                seen |= audience.new
            seen_now = dict.fromkeys(seen, now)
            await self._sets.saw("viewers", session.id, node, seen_now)
            before = asked_at if told else now - WINDOW
            await self._sets.forget_older(session.id, node, before)
        confirmed = {
            s.id: len(audiences.get(s.path, NOBODY).confirmed) for s in sessions
        }
        return confirmed if view.lists_hls else await self._with_steady(node, confirmed)

    async def _with_steady(
        self, node: str, confirmed: Mapping[int, int]
    ) -> dict[int, int]:
        asked = [(session_id, node) for session_id in confirmed]
        found = await self._sets.count("steady", asked, time.time() - WINDOW)
        return {
            session_id: listed + steady
            for (session_id, listed), steady in zip(
                confirmed.items(), found, strict=True
            )
        }

    async def counts(self, sessions: Iterable[LiveSession]) -> dict[int, int]:
        """Zero unless live or reconnecting. While Redis is away the last known
        counts stand for as long as a viewer would, then zero."""
        asked = [session for session in sessions if session.is_watchable]
        now = time.time()
        try:
            found = await self._sets.count(
                "viewers", [(s.id, s.node) for s in asked], now - WINDOW
            )
        except Away as error:
            log.warning("viewer counts are away", error=type(error).__name__)
            return {s.id: self._last_known(s.id, now) for s in asked}
        counts = dict(zip((s.id for s in asked), found, strict=True))
        if len(self._last_counts) > MOST_HINTS:
            self._last_counts.clear()
        self._last_counts.update({i: (now, n) for i, n in counts.items()})
        return counts

    def _last_known(self, session_id: int, now: float) -> int:
        at, count = self._last_counts.get(session_id, (0.0, 0))
        return count if now - at < WINDOW else 0

    async def clear(self, session: LiveSession) -> None:
        for hints in (self._hints, self._steady):
            hints.pop((session.id, session.node), None)
        try:
            await self._sets.clear(session.id, session.node)
        except Away:
            log.warning("viewers not cleared: Redis is away", session=session.id)

    def drop_node(self, node: str) -> None:
        self._nodes.pop(node, None)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with Loop("viewers", self._flush, FLUSH_EVERY).running():
            yield

    async def _flush(self) -> None:
        """While Redis is away hints are lost."""
        hints, self._hints, self._hinted = self._hints, {}, 0
        steady, self._steady = self._steady, {}
        await self._write("viewers", hints)
        await self._write("steady", steady)

    async def _write(self, kind: Kind, hints: Hints) -> None:
        for (session_id, node), seen in hints.items():
            await self._sets.saw(kind, session_id, node, seen)
