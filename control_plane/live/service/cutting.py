"""Cutting: deny first (a commit, before any of this), then kick.

A publisher that stays is judged by the next round. Viewers are in no table: that commit
says that they have to be cut, until their node has answered (``owed_cuts.py``). So
nobody waits long for a node that says nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping

import structlog

from control_plane.base.database import Pool
from control_plane.base.faults import StoreFault
from control_plane.live.model.nodes import Answer, NodeApi, Publisher, Reader
from control_plane.live.service.lifecycle import Source
from control_plane.live.service.nodes import Nodes
from control_plane.live.store import grants, owed_cuts

log = structlog.get_logger(__name__)

#: Seconds that whoever cuts waits for it at most: rounds and owed cuts do the rest.
#: Less than a node has for one answer.
WITHIN = 2.5
TRIES = 8
PAUSE = 0.25  # seconds
#: An RTMP encoder is let in seconds before any list names its path (MediaMTX
#: analyses the tracks first). Only the auth call told us of it.
STILL_COMING = 15  # seconds
HEARD_WITHIN = 0.5  # seconds for a notice to reach every process

Owed = Mapping[str, int]  # by node, as its store wrote it
Chosen = Callable[[Reader], bool]
ChosenPublisher = Callable[[Publisher], bool]


class Cutter:
    def __init__(self, pool: Pool, known: Nodes) -> None:
        self._pool = pool
        self._nodes = known
        self._begun: set[asyncio.Task[None]] = set()

    async def cut(self, node_name: str, path: str) -> bool:
        """Kick whoever publishes to ``path``, or is about to. True once the node
        lists nobody there; False after 2.5 s at most."""
        async with _for_a_while():
            if await self._cut(node_name, path):
                return True
        log.warning("a publisher could not be cut yet", node=node_name, path=path)
        return False

    async def cut_viewers(
        self, owed: Owed, chosen: Chosen, *, wait: bool = True
    ) -> None:
        """Close those who may not watch any more; caches ask about each again anyway.
        What cannot be done now stays owed. Without ``wait`` it has only begun."""
        cutting = self._cut_everywhere(owed, chosen)
        if wait:
            async with _for_a_while():
                await cutting
        else:
            task = asyncio.create_task(cutting)
            self._begun.add(task)
            task.add_done_callback(self._begun.discard)

    async def finish(self) -> None:
        """What has begun."""
        await asyncio.gather(*self._begun, return_exceptions=True)

    async def kick_viewers(self, node_name: str, chosen: Chosen) -> bool:
        """Twice: an auth process may have let one in before it heard of the denial. A
        node that says nothing is asked again, for about 2 s; False when it never
        answered, or does not run. Where many watch, its lists take longer."""
        api = self._nodes.api(await self._nodes.get(node_name))
        until = _now() + WITHIN
        answer = await _kick_readers(api, chosen, until)
        if answer == "answered":
            await asyncio.sleep(HEARD_WITHIN)
            answer = await _kick_readers(api, chosen, until)
        if answer == "answered":
            return True
        log.warning("viewers could not be cut yet", node=node_name)
        return False

    async def cut_all(
        self, owed: Owed, publishes: ChosenPublisher, watches: Chosen
    ) -> None:
        """Both kinds, on whole nodes; twice, as above."""
        async with _for_a_while():
            await asyncio.gather(
                *(self._cut_all(n, publishes, watches, i) for n, i in owed.items())
            )

    async def kick(self, source: Source) -> None:
        """One publisher that has turned out not to belong there."""
        log.info("kicked", node=source.node, path=source.path)
        api = self._nodes.api(await self._nodes.get(source.node))
        await api.kick(source.type, source.id)

    async def _cut(self, node_name: str, path: str) -> bool:
        api = self._nodes.api(await self._nodes.get(node_name))
        await self._kick_coming(api, node_name, path)
        for _ in range(TRIES):
            view = await api.look()
            if view.answer == "refused":
                return True
            if view.answer == "answered":
                there = [p for p in view.publishers if p.path == path]
                if not there:
                    return True
                await _kick(api, there)
            await asyncio.sleep(PAUSE)
        return False

    async def _cut_all(
        self, node_name: str, publishes: ChosenPublisher, watches: Chosen, owed: int
    ) -> None:
        await self._kick_publishers(node_name, publishes)
        await self._cut_viewers(node_name, watches, owed)
        await self._kick_publishers(node_name, publishes)

    async def _cut_everywhere(self, owed: Owed, chosen: Chosen) -> None:
        cuts = (self._cut_viewers(name, chosen, i) for name, i in owed.items())
        await asyncio.gather(*cuts)

    async def _cut_viewers(self, node_name: str, chosen: Chosen, owed: int) -> None:
        try:
            if await self.kick_viewers(node_name, chosen):
                await owed_cuts.done(self._pool, [owed])
        except StoreFault as error:
            log.warning("viewers are cut later", node=node_name, error=repr(error))

    async def _kick_publishers(self, node_name: str, chosen: ChosenPublisher) -> None:
        api = self._nodes.api(await self._nodes.get(node_name))
        view = await api.look()
        await _kick(api, [one for one in view.publishers if chosen(one)])

    async def _kick_coming(self, api: NodeApi, node: str, path: str) -> None:
        for source_id in await grants.coming(self._pool, node, path, STILL_COMING):
            await api.kick("rtmpConn", source_id)


@contextlib.asynccontextmanager
async def _for_a_while() -> AsyncIterator[None]:
    """What takes longer is broken off."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(WITHIN):
            yield


async def _kick_readers(api: NodeApi, chosen: Chosen, until: float) -> Answer:
    """Asked again while it says nothing. ``until``: by the loop's clock."""
    answer = await api.kick_readers(chosen)
    while answer == "silent" and _now() < until:
        await asyncio.sleep(PAUSE)
        answer = await api.kick_readers(chosen)
    return answer


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _kick(api: NodeApi, publishers: list[Publisher]) -> None:
    for publisher in publishers:
        await api.kick(publisher.source_type, publisher.source_id)
