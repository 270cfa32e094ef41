"""Reading the whole ledger again, now and then, to see that it is right."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

import structlog

from control_plane.base.database import Pool
from control_plane.base.faults import Away
from control_plane.base.tasks import stop
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

    async def check(self) -> list[Check]:
        """Each rule, and how many rows break it."""
        async with (
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
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            await stop([task])

    async def _run(self) -> None:
        while True:
            try:
                await self._look()
            except Away as error:
                log.warning("the ledger cannot be read", error=repr(error))
            except Exception:
                log.exception("the ledger cannot be checked")
            await asyncio.sleep(self._seconds)

    async def _look(self) -> None:
        checks = await self.check()
        self._report(checks)
        for check in checks:
            if check.faults:
                log.error("ledger fault", check=check.name, faults=check.faults)
