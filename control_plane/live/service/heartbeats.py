"""Saying again and again that a session is live: its end may get lost on its way to
whoever waits for it, and silence does not."""

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

from control_plane.base.database import Pool
from control_plane.base.tasks import Loop
from control_plane.events.log import append_session_event
from control_plane.live.service.counts import Counts
from control_plane.live.store import sessions


class Heartbeats:
    def __init__(self, pool: Pool, counts: Counts, seconds: float) -> None:
        """``seconds``: between two of a session; 0: none at all."""
        self._pool = pool
        self._counts = counts
        self._every = timedelta(seconds=seconds)

    async def turn(self) -> None:
        """Of several processes one tells each."""
        due = await sessions.due_for_heartbeat(self._pool, self._every)
        counts = await self._counts.of(due)
        for session in due:
            async with self._pool.transaction() as connection:
                if await sessions.beat(connection, session.id, self._every):
                    data = {"viewers": counts.get(session.id, 0)}
                    await append_session_event(
                        connection, session.id, "live.heartbeat", data
                    )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        if not self._every:
            yield
            return
        interval = self._every.total_seconds() / 4
        async with Loop("heartbeats", self.turn, interval).running():
            yield
