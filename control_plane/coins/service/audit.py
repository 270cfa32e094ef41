"""Reading the whole ledger again, now and then, to see that it is right."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

import structlog

from control_plane.base.database import Pool
from control_plane.base.tasks import Loop
from control_plane.coins.model.audit import Check
from control_plane.coins.store import audit

log = structlog.get_logger(__name__)


class Audit:
    def __init__(
        self,
        pool: Pool,
        *,
        seconds: float = 0.0,
        report: Callable[[Sequence[Check]], None] = lambda _: None,
    ) -> None:
        """``seconds`` between two looks of :meth:`running`; 0: none."""
        self._pool = pool
        self._seconds = seconds
        self._report = report
        self._turn = asyncio.Lock()

    async def check(self) -> list[Check]:
        """Each rule, and how many rows break it. One look at a time: it is long."""
        async with (
            self._turn,
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            found = await audit.faults(connection)
        return [Check(name, faults) for name, faults in found.items()]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        if not self._seconds:
            yield
            return
        async with Loop("ledger_check", self._look, self._seconds).running():
            yield

    async def _look(self) -> None:
        checks = await self.check()
        self._report(checks)
        for check in checks:
            if check.faults:
                log.error("ledger fault", check=check.name, faults=check.faults)
