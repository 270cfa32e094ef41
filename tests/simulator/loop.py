"""An event loop whose clock jumps to the next timer, and processes that can be killed
or stand still between any two steps."""

import asyncio
import contextvars
import heapq
import selectors
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

T = TypeVar("T")

LONGEST = 7200.0  # seconds of it that one world may last
BEGIN = 1_000_000.0  # seconds of the monotonic clock


class Process:
    """Some of our own: what runs in it stops for good when it dies. Nothing of it is
    cleaned up, as after `kill -9`."""

    def __init__(self, loop: "Loop", name: str) -> None:
        self._loop = loop
        self.name = name
        self.alive = True
        self.paused = False
        self.went_on_at = 0.0  # after it had stood still
        self.frozen: list[asyncio.Handle] = []
        self._callers: dict[asyncio.Future[Any], None] = {}
        self.on_death: list[Callable[[], None]] = []
        self._context = contextvars.copy_context()
        self._context.run(RUNNING.set, self)

    def spawn(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        return self._loop.create_task(work, context=self._context.copy())

    async def call(self, work: Coroutine[Any, Any, T]) -> T:
        """For a caller outside. Raises ConnectionResetError when it dies meanwhile."""
        if not self.alive:
            work.close()
            raise ConnectionRefusedError(self.name)
        answer: asyncio.Future[T] = self._loop.create_future()
        self._callers[answer] = None
        task = self.spawn(work)
        task.add_done_callback(lambda done: _hand_over(done, answer))
        try:
            return await answer
        finally:
            self._callers.pop(answer, None)

    def kill(self) -> None:
        self.alive = False
        self._loop.forget(self)
        self.frozen.clear()
        for answer in list(self._callers):
            if not answer.done():
                answer.set_exception(ConnectionResetError(self.name))
        for callback in self.on_death:
            callback()

    def pause(self) -> None:
        self.paused = True
        self._loop.freeze(self)

    def go_on(self) -> None:
        if self.paused:
            self.paused = False
            self.went_on_at = self._loop.time()
            self._loop.thaw(self)


RUNNING: contextvars.ContextVar[Process | None] = contextvars.ContextVar(
    "RUNNING", default=None
)


def _hand_over(done: "asyncio.Task[T]", answer: "asyncio.Future[T]") -> None:
    if answer.done():
        if not done.cancelled():
            done.exception()
    elif done.cancelled():
        answer.set_exception(ConnectionResetError("cancelled"))
    elif (error := done.exception()) is not None:
        answer.set_exception(error)
    else:
        answer.set_result(done.result())


class _Nothing(selectors.BaseSelector):
    """No file ever becomes ready; waiting moves the clock."""

    def __init__(self) -> None:
        self.wait: Callable[[float | None], None] = lambda _: None
        self._known: dict[int, selectors.SelectorKey] = {}

    def register(
        self, fileobj: Any, events: int, data: Any = None
    ) -> selectors.SelectorKey:
        key = selectors.SelectorKey(fileobj, int(fileobj), events, data)
        self._known[key.fd] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._known.pop(int(fileobj))

    def select(
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        self.wait(timeout)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._known


class Task(asyncio.Task[Any]):
    """Sets of tasks are walked through in the order of their making."""

    made = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        Task.made += 1
        self._number = Task.made
        super().__init__(*args, **kwargs)

    def __hash__(self) -> int:
        return self._number


class Loop(asyncio.SelectorEventLoop):
    _ready: "deque[asyncio.Handle]"
    _scheduled: list[asyncio.TimerHandle]

    def __init__(self) -> None:
        self._now = BEGIN
        nothing = _Nothing()
        super().__init__(nothing)
        nothing.wait = self._jump
        self._clock_resolution = 1e-7
        self.set_task_factory(_new_task)  # type: ignore[arg-type]
        Task.made = 0
        #: Also of the dead: what is left of them must not be cleaned up meanwhile.
        self.kept: set[Task] = set()

    def time(self) -> float:
        return self._now

    def _jump(self, timeout: float | None) -> None:
        if timeout is None:
            raise RuntimeError("nothing will ever happen any more")
        self._now += timeout
        if self._now > BEGIN + LONGEST:
            raise RuntimeError("this never ends")

    def call_soon(  # type: ignore[override]
        self, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.Handle:
        handle = super().call_soon(callback, *args, context=context)
        process = _process_of(handle)
        if process is not None:
            if not process.alive:
                handle.cancel()
            elif process.paused:
                self._ready.pop()
                process.frozen.append(handle)
        return handle

    def forget(self, process: Process) -> None:
        for handle in [*self._ready, *self._scheduled]:
            if _process_of(handle) is process:
                handle.cancel()

    def freeze(self, process: Process) -> None:
        mine = [h for h in self._ready if _process_of(h) is process]
        mine += sorted(h for h in self._scheduled if _process_of(h) is process)
        process.frozen += mine
        chosen = set(map(id, mine))
        ready = [h for h in self._ready if id(h) not in chosen]
        self._ready.clear()
        self._ready.extend(ready)
        self._scheduled[:] = [h for h in self._scheduled if id(h) not in chosen]
        heapq.heapify(self._scheduled)

    def thaw(self, process: Process) -> None:
        waiting, process.frozen = process.frozen, []
        for handle in waiting:
            if isinstance(handle, asyncio.TimerHandle) and handle.when() > self._now:
                heapq.heappush(self._scheduled, handle)
            else:
                self._ready.append(handle)


def _new_task(loop: Loop, coro: Any, **more: Any) -> Task:
    task = Task(coro, loop=loop, **more)
    loop.kept.add(task)
    task.add_done_callback(loop.kept.discard)
    return task


def _process_of(handle: asyncio.Handle) -> Process | None:
    context: contextvars.Context = handle._context  # type: ignore[attr-defined]
    return context.get(RUNNING)
