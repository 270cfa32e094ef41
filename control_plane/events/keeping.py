"""The log's months: made ahead, dropped when they are too old."""

import contextlib
from collections.abc import AsyncIterator

import structlog

from control_plane.base.database import Pool
from control_plane.base.tasks import Loop
from control_plane.events import store

log = structlog.get_logger(__name__)

AHEAD = 2  # months
INTERVAL = 3600.0  # seconds
AGAIN = 10.0  # seconds, when the tables were busy


class Keeping:
    def __init__(self, pool: Pool, months: int) -> None:
        """``months``: whole ones that events are kept for; 0: for ever."""
        self._pool = pool
        self._months = months

    async def turn(self) -> None:
        for name in await store.make_partitions(self._pool, AHEAD):
            log.info("a month of events has its partition", partition=name)
        if self._months:
            for name in await store.drop_old(self._pool, self._months):
                log.info("a month of events is dropped", partition=name)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        loop = Loop("event_months", self.turn, INTERVAL, after_failure=AGAIN)
        async with loop.running():
            yield
