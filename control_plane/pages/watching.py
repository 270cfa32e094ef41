"""The service as the pages see it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

from control_plane.live.model.watching import Broadcast
from control_plane.live.service.watching import Watching
from control_plane.pages.updates import NoSuchStream, Snapshot
from control_plane.web.snapshots import broadcast


class WatchingUpdates:
    """A LiveUpdates."""

    def __init__(self, watching: Watching) -> None:
        self._watching = watching

    @asynccontextmanager
    async def subscribe(
        self, name: str
    ) -> AsyncIterator[AsyncIterator[Snapshot | None]]:
        if not await self._watching.exists(name):
            raise NoSuchStream(name)
        async with aclosing(self._watching.follow(name)) as changes:
            yield (None if one is None else _shown(one) async for one in changes)

    @asynccontextmanager
    async def subscribe_list(self) -> AsyncIterator[AsyncIterator[Sequence[Snapshot]]]:
        async with aclosing(self._watching.follow_live()) as changes:
            yield ([broadcast(one) for one in found] async for found in changes)

    async def hls_urls(self, host: str) -> Sequence[str]:
        return await self._watching.hls_urls(host)


def _shown(of: Broadcast) -> Snapshot:
    return broadcast(of) | {"leaving": of.leaving}
