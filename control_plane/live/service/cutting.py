"""Cutting a publisher: deny first (a commit, before any of this), then kick."""

import asyncio
from collections.abc import Callable

import structlog

from control_plane.base.database import Pool
from control_plane.live.model.nodes import NodeApi, Publisher, Reader
from control_plane.live.service.lifecycle import Source
from control_plane.live.service.nodes import Nodes
from control_plane.live.store import grants

log = structlog.get_logger(__name__)

TRIES = 8
PAUSE = 0.25  # seconds
#: An RTMP encoder is let in seconds before any list names its path (MediaMTX
#: analyses the tracks first). Only the auth call told us of it.
STILL_COMING = 15  # seconds
HEARD_WITHIN = 0.5  # seconds for a notice to reach every process

Chosen = Callable[[Reader], bool]
ChosenPublisher = Callable[[Publisher], bool]


class Cutter:
    def __init__(self, pool: Pool, nodes: Nodes) -> None:
        self._pool = pool
        self._nodes = nodes

    async def cut(self, node_name: str, path: str) -> bool:
        """Kick whoever publishes to ``path``, or is about to. True once the node
        lists nobody there; False after about 2 s."""
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
        log.warning("a publisher could not be cut yet", node=node_name, path=path)
        return False

    async def cut_viewers(self, node_name: str, chosen: Chosen) -> None:
        """Close those who may not watch any more, there and at edges. Caches ask about
        each again anyway."""
        edges = [one.name for one in await self._nodes.edges() if one.role == "edge"]
        names = [node_name, *edges]
        await asyncio.gather(*(self._cut_readers(name, chosen) for name in names))

    async def _cut_readers(self, node_name: str, chosen: Chosen) -> None:
        """Twice: an auth process may have let one in before it heard of the denial. A
        node that says nothing is asked again, for about 2 s."""
        api = self._nodes.api(await self._nodes.get(node_name))
        await api.kick_readers(chosen)
        await asyncio.sleep(HEARD_WITHIN)
        for _ in range(TRIES):
            if await api.kick_readers(chosen):
                return
            await asyncio.sleep(PAUSE)
        log.warning("viewers could not be cut yet", node=node_name)

    async def cut_all(
        self, node_name: str, publishes: ChosenPublisher, watches: Chosen
    ) -> None:
        """Both kinds, on a whole node; twice, as above."""
        api = self._nodes.api(await self._nodes.get(node_name))
        view = await api.look()
        await _kick(api, [one for one in view.publishers if publishes(one)])
        await self._cut_readers(node_name, watches)
        view = await api.look()
        await _kick(api, [one for one in view.publishers if publishes(one)])

    async def kick(self, source: Source) -> None:
        """One publisher that has turned out not to belong there."""
        log.info("kicked", node=source.node, path=source.path)
        api = self._nodes.api(await self._nodes.get(source.node))
        await api.kick(source.type, source.id)

    async def _kick_coming(self, api: NodeApi, node: str, path: str) -> None:
        for source_id in await grants.coming(self._pool, node, path, STILL_COMING):
            await api.kick("rtmpConn", source_id)


async def _kick(api: NodeApi, publishers: list[Publisher]) -> None:
    for publisher in publishers:
        await api.kick(publisher.source_type, publisher.source_id)
