"""Which key let which connection in.

Noted in memory with the answer and written to Postgres right after it, because the
``ready`` message of the same connection may reach another process.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import structlog

from control_plane.base.database import Pool
from control_plane.base.faults import Rejected, StoreFault
from control_plane.base.tasks import Loop
from control_plane.live.store import grants

log = structlog.get_logger(__name__)

MOST_WAITING = 10_000
RETRY = 1.0  # seconds
IDLE = 5.0  # seconds
LAST_WRITES = 5.0  # seconds for what is noted when the process ends
#: Seconds between looks. RTSP before v1.19.3 names a session that no grant has.
PAUSES = [0.005, 0.01, 0.02, 0.04, 0.08, 0.15]


class Grants:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._waiting: dict[tuple[str, str], tuple[str, int]] = {}
        self._noted = asyncio.Event()
        self._writing = asyncio.Lock()

    def note(self, node: str, source_id: str, path: str, key_id: int) -> None:
        if len(self._waiting) < MOST_WAITING:
            self._waiting[(node, source_id)] = (path, key_id)
            self._noted.set()

    async def flush(self) -> None:
        """What is noted stands in Postgres when this returns, but for what Postgres
        will never take."""
        async with self._writing:
            for source, granted in list(self._waiting.items()):
                await self._write(source, granted)
                if self._waiting[source] == granted:
                    del self._waiting[source]

    async def settle(self, node: str, source_id: str) -> None:
        """Wait a moment for the grant of a connection: the call that was let in may
        have reached another process, which is writing it down right now."""
        await self.flush()
        for pause in PAUSES:
            if await grants.of(self._pool, node, [source_id]):
                return
            await asyncio.sleep(pause)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        loop = Loop("grants", self._write_noted, 0.0, after_failure=RETRY)
        try:
            async with loop.running():
                yield
        finally:
            with contextlib.suppress(StoreFault, TimeoutError):
                async with asyncio.timeout(LAST_WRITES):
                    await self.flush()

    async def _write(self, source: tuple[str, str], granted: tuple[str, int]) -> None:
        try:
            await grants.add(self._pool, *source, *granted)
        except Rejected as error:
            log.error("a grant was refused", node=source[0], error=str(error))

    async def _write_noted(self) -> None:
        if not self._waiting:
            self._noted.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(IDLE):
                    await self._noted.wait()
        await self.flush()
