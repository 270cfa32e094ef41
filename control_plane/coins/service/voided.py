"""Asking a store for the purchases it took back, for stores that do not tell."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import structlog

from control_plane.base.faults import Away
from control_plane.base.tasks import Loop
from control_plane.coins.model.purchases import RefundNotice, VoidedSource

log = structlog.get_logger(__name__)


class VoidedPoll:
    def __init__(
        self,
        source: VoidedSource,
        notice: Callable[[RefundNotice], Awaitable[bool]],
        seconds: float,
    ) -> None:
        self._source = source
        self._notice = notice
        self._seconds = seconds

    async def look(self) -> int:
        """How many purchases were taken back by this look. What was seen before
        changes nothing, so no place has to be remembered."""
        changed = 0
        async for notice in self._source.voided():
            changed += await self._one(notice)
        return changed

    async def _one(self, notice: RefundNotice) -> bool:
        try:
            return await self._notice(notice)
        except Away:
            raise
        except Exception:  # the others are taken back all the same
            log.exception("a refund failed")
            return False

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with Loop("refunds", self._turn, self._seconds).running():
            yield

    async def _turn(self) -> None:
        await self.look()
