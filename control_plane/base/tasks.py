"""Work in the background: started with the service, ended for certain."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

import structlog
from prometheus_client import Gauge

from control_plane.base.faults import Away

log = structlog.get_logger(__name__)

AGAIN = 1.0  # seconds
AGE = Gauge(
    "control_plane_loop_age_seconds",
    "Since the work of a background loop was last done, the oldest of that name.",
    ["loop"],
)
_running: dict[str, set["Loop"]] = {}


class Loop:
    """One piece of work again and again. Whatever it raises is logged and the next
    turn comes all the same; how long ago it last went well is a metric."""

    def __init__(
        self, name: str, work: Callable[[], Awaitable[None]], interval: float
    ) -> None:
        """``interval``: seconds between the end of one turn and the next."""
        self.name = name
        self._work = work
        self._interval = interval
        self._done_at = time.monotonic()

    @property
    def age(self) -> float:
        """Seconds since it last went well, or since it began."""
        return time.monotonic() - self._done_at

    async def run(self) -> None:
        """Until it is cancelled."""
        self._done_at = time.monotonic()
        alike = _running.setdefault(self.name, set())
        alike.add(self)
        AGE.labels(self.name).set_function(
            lambda: max((loop.age for loop in alike), default=0.0)
        )
        try:
            while True:
                await self._turn()
                await asyncio.sleep(self._interval)
        finally:
            alike.discard(self)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.run())
        try:
            yield
        finally:
            await stop([task])

    async def _turn(self) -> None:
        try:
            await self._work()
        except Away as error:
            log.warning("a loop waits for its stores", loop=self.name, error=str(error))
        except Exception:
            log.exception("a loop's turn failed", loop=self.name)
        else:
            self._done_at = time.monotonic()


async def stop(tasks: Iterable["asyncio.Task[None]"]) -> None:
    """Cancel them until they have ended. Once is not always enough: before Python
    3.12 ``asyncio.wait_for``, which asyncpg waits with, can lose a cancellation that
    comes in the same moment as its result."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN)
