"""Saying again and again that a session is live: its end may get lost on its way to
whoever waits for it, and silence does not."""

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

from control_plane.base.database import Pool
from control_plane.base.tasks import Loop
from control_plane.events.log import append_session_events
from control_plane.live.service.counts import Counts
from control_plane.live.store import sessions

TOGETHER = 100  # sessions of one transaction, which holds their rows


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
        for start in range(0, len(due), TOGETHER):
            ids = [session.id for session in due[start : start + TOGETHER]]
            async with self._pool.transaction() as connection:
                beaten = await sessions.beat(connection, ids, self._every)
                said = [(i, {"viewers": counts.get(i, 0)}) for i in beaten]
                if said:
                    await append_session_events(connection, "live.heartbeat", said)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        if not self._every:
            yield
            return
        interval = self._every.total_seconds() / 4
        async with Loop("heartbeats", self.turn, interval).running():
            yield
