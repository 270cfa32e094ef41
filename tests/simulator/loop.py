"""An event loop whose clock jumps to the next timer, and processes that can be killed
or stand still between any two steps."""

import asyncio
import contextvars
import heapq
import itertools
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

LONGEST = 7200.0  # seconds of it that one world may last
BEGIN = 1_000_000.0  # seconds of the monotonic clock

#: When, the how manieth, and what then.
Timer = tuple[float, int, asyncio.TimerHandle]


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


class Task(asyncio.Task[Any]):
    """Sets of tasks are walked through in the order of their making."""

    made = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        Task.made += 1
        self._number = Task.made
        super().__init__(*args, **kwargs)

    def __hash__(self) -> int:
        return self._number


class Loop(asyncio.BaseEventLoop):
    """No file ever becomes ready; waiting moves the clock."""

    _ready: "deque[asyncio.Handle]"
    _stopping: bool

    def __init__(self) -> None:
        super().__init__()
        self._now = BEGIN
        self._timers: list[Timer] = []
        self._number = itertools.count()
        self.set_task_factory(_new_task)  # type: ignore[arg-type]
        Task.made = 0
        #: Also of the dead: what is left of them must not be cleaned up meanwhile.
        self.kept: set[Task] = set()

    def time(self) -> float:
        return self._now

    def call_soon(  # type: ignore[override]
        self, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        process = _process_of(handle)
        if process is None or (process.alive and not process.paused):
            self._ready.append(handle)
        elif process.alive:
            process.frozen.append(handle)
        else:
            handle.cancel()
        return handle

    def call_at(  # type: ignore[override]
        self, when: float, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._number), handle))
        return handle

    def _run_once(self) -> None:
        if not self._ready and not self._stopping:
            self._jump()
        while self._timers and self._timers[0][0] <= self._now:
            self._ready.append(heapq.heappop(self._timers)[2])
        for _ in range(len(self._ready)):
            handle = self._ready.popleft()
            if not handle.cancelled():
                handle._run()

    def _jump(self) -> None:
        """To the next timer."""
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        if not self._timers:
            raise RuntimeError("nothing will ever happen any more")
        self._now = max(self._now, self._timers[0][0])
        if self._now > BEGIN + LONGEST:
            raise RuntimeError("this never ends")

    def forget(self, process: Process) -> None:
        for handle in [*self._ready, *(timer[2] for timer in self._timers)]:
            if _process_of(handle) is process:
                handle.cancel()

    def freeze(self, process: Process) -> None:
        mine = [t for t in self._timers if _process_of(t[2]) is process]
        process.frozen += [h for h in self._ready if _process_of(h) is process]
        process.frozen += [timer[2] for timer in sorted(mine)]
        chosen = set(map(id, process.frozen))
        ready = [h for h in self._ready if id(h) not in chosen]
        self._ready.clear()
        self._ready.extend(ready)
        self._timers = [t for t in self._timers if id(t[2]) not in chosen]
        heapq.heapify(self._timers)

    def thaw(self, process: Process) -> None:
        waiting, process.frozen = process.frozen, []
        for handle in waiting:
            if isinstance(handle, asyncio.TimerHandle) and handle.when() > self._now:
                timer = (handle.when(), next(self._number), handle)
                heapq.heappush(self._timers, timer)
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
