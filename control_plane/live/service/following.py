"""What many follow at the same time is looked at together, once a second, and what is
over is not looked at any more."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from typing import Generic, TypeVar

from control_plane.base.tasks import Loop

REFRESH = 1.0  # seconds
TOGETHER = 0.02  # seconds that who comes waits for others
CHUNK = 1000  # names a look

T = TypeVar("T")


class Following(Generic[T]):
    def __init__(
        self,
        name: str,
        look: Callable[[list[str]], Awaitable[Mapping[str, T]]],
        is_over: Callable[[str, T | None], bool] = lambda _name, _state: False,
    ) -> None:
        """``look``: the states of what has these names; where there is nothing the
        name is missing."""
        self._look = look
        self._is_over = is_over
        self._followers: set[_Follower[T]] = set()
        self._new = asyncio.Event()
        self._closing = False
        self._loop = Loop(name, self._turn, 0.0, after_failure=REFRESH)

    async def follow(self, name: str) -> AsyncGenerator[T | None]:
        """The state now and each time it changed. Ends with :meth:`close`."""
        follower: _Follower[T] = _Follower(name)
        self._followers.add(follower)
        self._new.set()
        try:
            while not self._closing:
                await follower.news.wait()
                follower.news.clear()
                if follower.told and not self._closing:
                    yield follower.state
        finally:
            self._followers.discard(follower)

    def close(self) -> None:
        self._closing = True
        for follower in self._followers:
            follower.news.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with self._loop.running():
            yield

    async def _turn(self) -> None:
        """A look at all, then, for a second, one at those who come."""
        await self._tell({one for one in self._followers if not one.over})
        loop = asyncio.get_running_loop()
        end = loop.time() + REFRESH
        while (left := end - loop.time()) > 0 and await self._somebody_comes(left):
            await asyncio.sleep(TOGETHER)
            self._new.clear()
            await self._tell({one for one in self._followers if not one.told})

    async def _somebody_comes(self, within: float) -> bool:
        try:
            async with asyncio.timeout(within):
                return await self._new.wait()
        except TimeoutError:
            return False

    async def _tell(self, followers: "set[_Follower[T]]") -> None:
        names = sorted({one.name for one in followers})
        states: dict[str, T] = {}
        for start in range(0, len(names), CHUNK):
            states.update(await self._look(names[start : start + CHUNK]))
        for one in followers:
            state = states.get(one.name)
            one.tell(state, over=self._is_over(one.name, state))


class _Follower(Generic[T]):
    def __init__(self, name: str) -> None:
        self.name = name
        self.state: T | None = None
        self.told = False
        self.over = False
        self.news = asyncio.Event()

    def tell(self, state: T | None, *, over: bool) -> None:
        self.over = over
        if not self.told or state != self.state:
            self.state = state
            self.told = True
            self.news.set()
