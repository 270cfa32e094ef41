"""Asking an app store for the purchases it took back: one does not tell, and the other
may have told nobody."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import structlog

from control_plane.base.faults import Away
from control_plane.base.tasks import Loop
from control_plane.coins.model.purchases import AppStoreName, RefundNotice

log = structlog.get_logger(__name__)


class VoidedPoll:
    def __init__(
        self,
        store: AppStoreName,
        voided: Callable[[], AsyncIterator[RefundNotice]],
        notice: Callable[[RefundNotice], Awaitable[bool]],
        seconds: float,
    ) -> None:
        """``voided``: all of the last days, or more. Raises Unavailable."""
        self._store = store
        self._voided = voided
        self._notice = notice
        self._seconds = seconds

    async def look(self) -> int:
        """How many purchases were taken back by this look. What was seen before
        changes nothing."""
        changed = 0
        async for notice in self._voided():
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
        async with Loop(f"{self._store}_refunds", self._turn, self._seconds).running():
            yield

    async def _turn(self) -> None:
        await self.look()
