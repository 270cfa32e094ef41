"""Reading the whole ledger again, now and then, to see that it is right."""

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from control_plane.base.batches import Shared
from control_plane.base.database import Pool
from control_plane.base.tasks import Loop
from control_plane.coins.model.audit import Check
from control_plane.coins.store import audit

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """``at``: when it was read."""

    at: datetime
    checks: Sequence[Check]


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
        self._readings = Shared(self._read)
        self._latest: Reading | None = None

    async def latest(self) -> Reading:
        """The one before, if there was one."""
        return self._latest or await self.read()

    async def check(self) -> Sequence[Check]:
        """Each rule, and how many rows break it."""
        return (await self.read()).checks

    async def read(self) -> Reading:
        """It is long: all who wait for it get the same one."""
        return await self._readings.get(None)

    async def _read(self, _: None) -> Reading:
        async with self._pool.acquire() as connection:
            found = await audit.faults(connection)
        checks = [Check(name, faults) for name, faults in found.items()]
        self._latest = Reading(datetime.now(UTC), checks)
        return self._latest

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        if not self._seconds:
            yield
            return
        try:
            async with Loop("ledger_check", self._look, self._seconds).running():
                yield
        finally:
            for reading in self._readings.under_way():
                reading.cancel()

    async def _look(self) -> None:
        checks = await self.check()
        self._report(checks)
        for check in checks:
            if check.faults:
                log.error("ledger fault", check=check.name, faults=check.faults)
