"""Which key let which connection in.

Noted in memory with the answer and written to Postgres right after it, because the
``ready`` message of the same connection may reach another process.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import structlog

from control_plane.base.database import Pool
from control_plane.base.faults import Away
from control_plane.base.tasks import stop
from control_plane.live.store import grants

log = structlog.get_logger(__name__)

MOST_WAITING = 10_000
RETRY = 1.0  # seconds


class Grants:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._waiting: dict[tuple[str, str], tuple[str, int]] = {}
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()

    def note(self, node: str, source_id: str, path: str, key_id: int) -> None:
        if len(self._waiting) < MOST_WAITING:
            self._waiting[(node, source_id)] = (path, key_id)
            self._wake.set()

    async def flush(self) -> None:
        """What is noted stands in Postgres when this returns."""
        async with self._writing:
            for (node, source_id), (path, key_id) in list(self._waiting.items()):
                await grants.add(self._pool, node, source_id, path, key_id)
                del self._waiting[(node, source_id)]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        writing = asyncio.create_task(self._write_for_ever())
        try:
            yield
        finally:
            await stop([writing])

    async def _write_for_ever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self.flush()
            except Away as error:
                log.warning("grants wait for Postgres", error=type(error).__name__)
                await asyncio.sleep(RETRY)
                self._wake.set()
