"""How many watch: distinct viewers whose bytes moved within the last 10 seconds, and
those who were let in since their node was looked at."""

import time
from collections.abc import Iterable

import structlog

from control_plane.base.faults import Away
from control_plane.live.model.sessions import LiveSession
from control_plane.live.model.viewers import WINDOW
from control_plane.live.store.viewers import ViewerSets

log = structlog.get_logger(__name__)

MOST_REMEMBERED = 200_000  # sessions


class Counts:
    def __init__(self, sets: ViewerSets) -> None:
        self._sets = sets
        self._last: dict[int, tuple[float, int]] = {}

    async def of(self, sessions: Iterable[LiveSession]) -> dict[int, int]:
        """Zero unless live or reconnecting. While Redis is away the last known
        counts stand for as long as a viewer would, then zero."""
        asked = [session for session in sessions if session.is_watchable]
        now = time.time()
        places = [(session.id, session.node) for session in asked]
        try:
            found = await self._sets.count(places, now, WINDOW)
        except Away as error:
            log.warning("viewer counts are away", error=type(error).__name__)
            return {session.id: self._last_known(session.id, now) for session in asked}
        counts = dict(zip((session.id for session in asked), found, strict=True))
        if len(self._last) > MOST_REMEMBERED:
            self._last.clear()
        self._last.update({i: (now, n) for i, n in counts.items()})
        return counts

    def _last_known(self, session_id: int, now: float) -> int:
        at, count = self._last.get(session_id, (0.0, 0))
        return count if now - at < WINDOW else 0
