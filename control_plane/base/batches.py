"""Natural group commit: while one batch is on its way the next one gathers, and leaves
when the first returns. No timer: it would only slow things down."""

import asyncio
import time
from collections import deque
from collections.abc import (
    Awaitable,
    Callable,
    Coroutine,
    Hashable,
    Mapping,
    Sequence,
)
from contextvars import copy_context
from typing import Generic, TypeVar

import structlog

log = structlog.get_logger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")
Key = TypeVar("Key", bound=Hashable)

Run = Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]]


class Lane(Generic[Item, Result]):
    """One batch at a time. ``run`` answers for each item, in their order. Where it
    raises one ``of_one``, what concerns one item alone, they are run one by one. It is
    for all who wait, so in the context of whoever made this, and in no request's."""

    def __init__(
        self,
        run: "Run[Item, Result]",
        most: int,
        *,
        of_one: tuple[type[Exception], ...] = (),
    ) -> None:
        self._run = run
        self._most = most
        self._of_one = of_one
        self._context = copy_context()
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._worker: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Result:
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work(), context=self._context)
        return await future

    async def _work(self) -> None:
        while self._waiting:
            count = min(self._most, len(self._waiting))
            batch = [self._waiting.popleft() for _ in range(count)]
            for (_, future), result in zip(
                batch, await self._results([item for item, _ in batch]), strict=True
            ):
                if future.done():  # whoever asked is gone
                    continue
                if isinstance(result, Exception):
                    future.set_exception(result)
                else:
                    future.set_result(result)

    async def _results(self, items: Sequence[Item]) -> Sequence[Result | Exception]:
        try:
            return await self._run(items)
        except Exception as error:
            if len(items) > 1 and isinstance(error, self._of_one):
                log.warning("one by one", items=len(items), error=repr(error))
                return [(await self._results([item]))[0] for item in items]
            # Each caller raises its own: a traceback grows where it is raised.
            return [_copy(error) for _ in items]


class Reads(Generic[Key, Result]):
    """What many ask for at the same time, read together. An answer is never older than
    its question: who asks while others are being answered is part of the next read."""

    def __init__(
        self,
        read: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Result]]],
        most: int = 100,
    ) -> None:
        self._read = read
        self._lane: Lane[Key, Result | None] = Lane(self._together, most)

    async def get(self, key: Key) -> Result | None:
        """None where there is nothing."""
        return await self._lane.submit(key)

    async def _together(self, keys: Sequence[Key]) -> Sequence[Result | None]:
        found = await self._read(list(dict.fromkeys(keys)))
        return [found.get(key) for key in keys]


class Shared(Generic[Key, Result]):
    """One answer for all who ask for the same at the same time. As with Reads, none is
    older than its question."""

    def __init__(self, make: Callable[[Key], Coroutine[None, None, Result]]) -> None:
        self._make = make
        self._next: dict[Key, asyncio.Task[Result]] = {}
        self._made: dict[Key, asyncio.Task[Result]] = {}

    async def get(self, key: Key) -> Result:
        return await asyncio.shield(self.ask(key))  # whoever asked first may go away

    def ask(self, key: Key) -> "asyncio.Task[Result]":
        """The one that is made next: at once, or when the one under way has ended."""
        task = self._next.get(key)
        if task is None:
            coming = self._after(self._made.get(key), key)
            task = self._next[key] = asyncio.create_task(coming)
        return task

    def under_way(self) -> "list[asyncio.Task[Result]]":
        return [*self._made.values(), *self._next.values()]

    async def _after(self, before: "asyncio.Task[Result] | None", key: Key) -> Result:
        if before is not None:
            await asyncio.wait([before])
        own = self._made[key] = self._next.pop(key)
        try:
            return await self._make(key)
        finally:
            if self._made[key] is own:
                del self._made[key]


class Recent(Generic[Result]):
    """One answer for all who keep asking. Once it is older than ``fresh`` a new one is
    made, and until that is there the old one does, if no older than ``at_most``. Both
    are seconds."""

    def __init__(
        self,
        make: Callable[[], Coroutine[None, None, Result]],
        fresh: float,
        at_most: float,
    ) -> None:
        self._fresh = fresh
        self._at_most = at_most
        self._made: tuple[float, Result] | None = None
        self._looks: Shared[None, Result] = Shared(self._look)
        self._make = make
        self._coming: asyncio.Task[Result] | None = None

    async def get(self) -> Result:
        if self._made is None:
            return await self._looks.get(None)
        made_at, result = self._made
        age = time.monotonic() - made_at
        if age > self._at_most:
            return await self._looks.get(None)
        if age > self._fresh and self._coming is None:
            self._coming = asyncio.create_task(self._looks.get(None))
            self._coming.add_done_callback(self._came)
        return result

    async def _look(self, _: None) -> Result:
        began = time.monotonic()
        result = await self._make()
        self._made = began, result
        return result

    def _came(self, task: "asyncio.Task[Result]") -> None:
        """Nobody waits for it: why there is none, the next who has to is told."""
        self._coming = None
        if not task.cancelled():
            task.exception()


def _copy(error: Exception) -> Exception:
    try:
        copy = type(error)(*error.args)
    except Exception:
        return error
    copy.__cause__ = error
    return copy
