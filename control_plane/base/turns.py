"""Whose turn it is, among those who would hold the event loop together."""

import asyncio
from heapq import heappop, heappush
from itertools import count


class Turns:
    """One at a time, piece by piece. The next piece is always of whoever began first:
    pieces of equals in turn would make each of them last as long as all."""

    def __init__(self) -> None:
        self._held = False
        self._numbers = count(1)
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._turns: dict[str, Turn] = {}

    def of(self, name: str) -> "Turn":
        return self._turns.setdefault(name, Turn(self))

    def number(self) -> int:
        return next(self._numbers)

    async def take(self, since: int) -> None:
        if not self._held and not self._comes_later(since):
            self._held = True
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heappush(self._waiting, (since, self.number(), future))
        try:
            await future
        except asyncio.CancelledError:
            if not future.cancelled():  # it was given in the same moment
                self.give()
            raise

    def give(self) -> None:
        """Whoever gives it may ask for the next piece before the others are told."""
        self._held = False
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._next)

    def _comes_later(self, since: int) -> bool:
        return bool(self._waiting) and self._waiting[0][0] < since

    def _next(self) -> None:
        while self._waiting and not self._held:
            future = heappop(self._waiting)[-1]
            if not future.done():
                self._held = True
                future.set_result(None)


class Turn:
    """Of one of them: hold it for a piece of what it does."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._since = 0

    def begin(self) -> None:
        """Something new: who began before comes first from here on."""
        self._since = self._turns.number()

    async def __aenter__(self) -> None:
        await self._turns.take(self._since)

    async def __aexit__(self, *_: object) -> None:
        self._turns.give()
