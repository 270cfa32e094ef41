"""Work in the background: started with the service, ended for certain."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TypeVar

import structlog
from prometheus_client import Counter, Gauge

from control_plane.base.faults import Away
from control_plane.base.refusals import Unavailable

log = structlog.get_logger(__name__)

T = TypeVar("T")

AGAIN = 1.0  # seconds
AGE = Gauge(
    "control_plane_loop_age_seconds",
    "Since the work of a background loop was last done, the oldest of that name.",
    ["loop"],
)
FAILURES = Counter(
    "control_plane_loop_failures_total",
    "Turns of a background loop that did not go well.",
    ["loop"],
)
_running: dict[str, set["Loop"]] = {}


class Loop:
    """One piece of work again and again. Whatever it raises is logged and the next
    turn comes all the same; how long ago it last went well is a metric."""

    def __init__(
        self,
        name: str,
        work: Callable[[], Awaitable[None]],
        interval: float,
        *,
        after_failure: float | None = None,
        from_start: bool = False,
    ) -> None:
        """``interval``: seconds between the end of one turn and the next;
        ``after_failure``: the same, once a turn failed, if it is another.
        ``from_start``: between their starts, for turns that may last; what is looked
        at in them has a rest of a quarter of that time all the same."""
        self._from_start = from_start
        self.name = name
        self._work = work
        self._interval = interval
        self._after_failure = interval if after_failure is None else after_failure
        self._done_at = time.monotonic()
        self._failed = False

    @property
    def age(self) -> float:
        """Seconds since it last went well, or since it began."""
        return time.monotonic() - self._done_at

    def goes_well(self) -> None:
        """For work whose turns last: it is not done, and all is well."""
        self._done_at = time.monotonic()
        self._failed = False

    async def run(self) -> None:
        """Until it is cancelled."""
        self.goes_well()
        alike = _running.setdefault(self.name, set())
        alike.add(self)
        AGE.labels(self.name).set_function(
            lambda: max((loop.age for loop in alike), default=0.0)
        )
        try:
            while True:
                began = time.monotonic()
                went_well = await self._turn()
                if _is_cancelled():  # and it was lost on the way: see stop()
                    return
                pause = self._interval if went_well else self._after_failure
                if self._from_start:
                    pause = _rest(pause, time.monotonic() - began)
                await asyncio.sleep(pause)
        finally:
            alike.discard(self)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.run())
        try:
            yield
        finally:
            await stop([task])

    async def _turn(self) -> bool:
        """In a task of its own: what is awaited there may leave a cancellation behind
        that was no-one's, as task groups do before Python 3.13."""
        try:
            await asyncio.ensure_future(self._work())
        except (Away, Unavailable) as error:
            log.warning("a loop waits", loop=self.name, error=repr(error))
        except asyncio.CancelledError as error:
            if _is_cancelled():
                raise
            # Something that it waited for was cancelled, not the loop itself.
            self._log_failure(error)
        except Exception as error:
            self._log_failure(error)
        else:
            self.goes_well()
            return True
        FAILURES.labels(self.name).inc()
        return False

    def _log_failure(self, error: BaseException) -> None:
        """The whole story once, one line for each failure that follows it."""
        story = None if self._failed else error
        log.error("a loop failed", loop=self.name, error=repr(error), exc_info=story)
        self._failed = True


async def in_turns(items: Iterable[T], at_once: int = 100) -> AsyncIterator[T]:
    """For a long list: others on the event loop have their turn in between."""
    for number, item in enumerate(items, 1):
        yield item
        if number % at_once == 0:
            await asyncio.sleep(0)


def _rest(interval: float, took: float) -> float:
    return min(interval, max(interval - took, took / 4))


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def stop(tasks: Iterable["asyncio.Task[None]"]) -> None:
    """Cancel them until they have ended. Once is not always enough: before Python
    3.12 ``asyncio.wait_for``, which redis-py sends each command with, can lose a
    cancellation that comes in the same moment as its result."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN)
