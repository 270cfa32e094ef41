"""Natural group commit: while one batch is being written the next one gathers, and
leaves when the first returns. No timer: it would only slow things down."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

Run = Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]]


class Lane(Generic[Item, Result]):
    """One batch at a time. ``run`` answers for each item, in their order."""

    def __init__(self, run: "Run[Item, Result]", most: int) -> None:
        self._run = run
        self._most = most
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._worker: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Result:
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
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
            # Each caller raises its own: a traceback grows where it is raised.
            return [_copy(error) for _ in items]


def _copy(error: Exception) -> Exception:
    try:
        copy = type(error)(*error.args)
    except Exception:
        return error
    copy.__cause__ = error
    return copy
