"""Cutting: deny first (a commit, before any of this), then kick.

A publisher that stays is judged by the next round. Viewers are in no table, so a node
where they could not be cut owes it until it answers (``owed_cuts.py``)."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog

from control_plane.base.database import Pool
from control_plane.live.model.nodes import NodeApi, Publisher, Reader
from control_plane.live.service.lifecycle import Source
from control_plane.live.service.nodes import Nodes
from control_plane.live.store import grants, nodes

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
    def __init__(self, pool: Pool, known: Nodes) -> None:
        self._pool = pool
        self._nodes = known
        self._begun: set[asyncio.Task[None]] = set()

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

    async def cut_viewers(
        self, node_name: str, chosen: Chosen, *, wait: bool = True
    ) -> None:
        """Close those who may not watch any more, there and at edges; caches ask about
        each again anyway. What cannot be done now is owed. Without ``wait`` it has only
        begun."""
        edges = [one for one in await self._nodes.edges() if one.role == "edge"]
        names = [node_name, *(edge.name for edge in edges)]
        marks = {name: await nodes.owe_cut(self._pool, name) for name in names}
        for edge in edges:
            if edge.lost:
                del marks[edge.name]
        cutting = self._cut_everywhere(marks, chosen)
        if wait:
            await cutting
        else:
            task = asyncio.create_task(cutting)
            self._begun.add(task)
            task.add_done_callback(self._begun.discard)

    async def finish(self) -> None:
        """What has begun."""
        await asyncio.gather(*self._begun, return_exceptions=True)

    async def owe(self, node_name: str) -> None:
        """A node that cannot be asked now."""
        await nodes.owe_cut(self._pool, node_name)

    async def kick_viewers(self, node_name: str, chosen: Chosen) -> bool:
        """Twice: an auth process may have let one in before it heard of the denial. A
        node that says nothing is asked again, for about 2 s; False when it never
        answered, or does not run."""
        api = self._nodes.api(await self._nodes.get(node_name))
        answer = await api.kick_readers(chosen)
        if answer != "refused":
            await asyncio.sleep(HEARD_WITHIN)
            for _ in range(TRIES):
                answer = await api.kick_readers(chosen)
                if answer != "silent":
                    break
                await asyncio.sleep(PAUSE)
        if answer == "answered":
            return True
        log.warning("viewers could not be cut yet", node=node_name)
        return False

    async def cut_all(
        self, node_name: str, publishes: ChosenPublisher, watches: Chosen
    ) -> None:
        """Both kinds, on a whole node; twice, as above."""
        api = self._nodes.api(await self._nodes.get(node_name))
        view = await api.look()
        await _kick(api, [one for one in view.publishers if publishes(one)])
        mark = await nodes.owe_cut(self._pool, node_name)
        await self._cut_viewers(node_name, watches, mark)
        view = await api.look()
        await _kick(api, [one for one in view.publishers if publishes(one)])

    async def kick(self, source: Source) -> None:
        """One publisher that has turned out not to belong there."""
        log.info("kicked", node=source.node, path=source.path)
        api = self._nodes.api(await self._nodes.get(source.node))
        await api.kick(source.type, source.id)

    async def _cut_everywhere(
        self, marks: Mapping[str, datetime | None], chosen: Chosen
    ) -> None:
        cuts = (self._cut_viewers(name, chosen, mark) for name, mark in marks.items())
        await asyncio.gather(*cuts)

    async def _cut_viewers(
        self, node_name: str, chosen: Chosen, mark: datetime | None
    ) -> None:
        if await self.kick_viewers(node_name, chosen) and mark is not None:
            await nodes.cut_done(self._pool, node_name, mark)

    async def _kick_coming(self, api: NodeApi, node: str, path: str) -> None:
        for source_id in await grants.coming(self._pool, node, path, STILL_COMING):
            await api.kick("rtmpConn", source_id)


async def _kick(api: NodeApi, publishers: list[Publisher]) -> None:
    for publisher in publishers:
        await api.kick(publisher.source_type, publisher.source_id)
