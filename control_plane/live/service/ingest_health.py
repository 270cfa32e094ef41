"""How well streams come in, for whoever asks: their hosts and operators."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from control_plane.base.database import Pool
from control_plane.base.faults import Away
from control_plane.live.model.ingest import Health, IntakeMinute
from control_plane.live.model.sessions import LiveSession
from control_plane.live.store import intake, sessions
from control_plane.live.store.ingest import IngestStore

log = structlog.get_logger(__name__)

FRESH = 30.0  # seconds; an older measure tells nothing about now


@dataclass(frozen=True, slots=True)
class Seen:
    """``health``: None where nothing is known now."""

    session: LiveSession
    health: Health | None


class IngestHealth:
    def __init__(self, pool: Pool, store: IngestStore) -> None:
        self._pool = pool
        self._store = store

    async def of(self, session: LiveSession) -> Health | None:
        return (await self.of_all([session])).get(session.id)

    async def history(self, session_id: int) -> list[IntakeMinute]:
        """Minute by minute, in so far as somebody measured."""
        return await intake.of(self._pool, session_id)

    async def live(self, limit: int, offset: int = 0) -> list[Seen]:
        """What is live, newest first."""
        found = await sessions.live(self._pool, limit, offset)
        healths = await self.of_all(found)
        return [Seen(session, healths.get(session.id)) for session in found]

    async def of_all(self, asked: Iterable[LiveSession]) -> dict[int, Health]:
        """By session. Nothing while Redis is away."""
        places = [(one.id, one.node) for one in asked if one.status == "live"]
        try:
            found = await self._store.of(places)
        except Away as error:
            log.warning("health is away", error=type(error).__name__)
            return {}
        oldest = time.time() - FRESH
        return {i: health for i, health in found.items() if health.at > oldest}
