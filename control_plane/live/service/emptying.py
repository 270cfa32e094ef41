"""Edges that drain: their viewers go to others, a group at a time, and never more than
the others have room for.

Each viewer has drawn a lot, and an edge lets go of all below a share, which rises until
nobody is left. Pages are told of it and go by themselves; a cache is answered no when
it asks about such a viewer next, and at a MediaMTX edge the next group's turn closes
those who are still there. All of them ask `watch` for another place.
"""

import contextlib
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import structlog

from control_plane.base.database import Pool
from control_plane.base.refusals import Unavailable
from control_plane.base.secrets import Derived
from control_plane.base.tasks import Loop
from control_plane.live.model.credentials import viewer_token
from control_plane.live.model.edges import BEAT, lot, room_beside, share
from control_plane.live.model.nodes import Node, Reader
from control_plane.live.model.viewers import viewer_of_address
from control_plane.live.service.nodes import Nodes
from control_plane.live.store import nodes as store
from control_plane.live.store.beats import Beats

log = structlog.get_logger(__name__)

#: Seconds between two groups: a page has heard of it after two.
EVERY = 5.0
#: Viewers in a group: a hundred a second are a twentieth of what one node lets in.
AT_ONCE = 500

NOT_KNOWN = "How many viewers are left there is not known right now."


class Emptying:
    def __init__(
        self, pool: Pool, nodes: Nodes, beats: Beats, *, viewer_key: Derived
    ) -> None:
        self._pool = pool
        self._nodes = nodes
        self._beats = beats
        self._viewer_key = viewer_key

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with Loop("emptying", self.turn, EVERY / 2).running():
            yield

    async def turn(self, every: float = EVERY, unknown: float = BEAT) -> None:
        """Of several processes one takes each edge. What Redis does not say now, a
        later turn may."""
        due = timedelta(seconds=every), timedelta(seconds=unknown)
        for edge in await store.begin_emptying(self._pool, *due):
            lots = await self._lots(edge)
            if lots is not None:
                await self._let_go(edge, [one for one in lots if one >= edge.let_go])

    async def left(self, name: str) -> int:
        """At an origin the broadcasts that run, or may come back; else the viewers.
        Raises Unavailable while nobody knows how many they are."""
        node = await self._nodes.get(name)
        if node.role == "origin":
            return await store.broadcasts(self._pool, name)
        left = (await self._beats.readers([node], time.time())).get(name)
        if left is None and not node.lost:
            raise Unavailable(NOT_KNOWN)
        return left or 0

    async def _let_go(self, edge: Node, staying: list[float]) -> None:
        count = min(len(staying), AT_ONCE, await self._room(edge))
        if staying and not count:
            log.warning("no room for the viewers", node=edge.name, left=len(staying))
            return
        now_gone = share(staying, count)
        if now_gone != edge.let_go:
            await self._beats.sent(count, time.time())
            await store.let_go(self._pool, edge.name, now_gone)
            left = len(staying) - count
            log.info("viewers sent elsewhere", node=edge.name, count=count, left=left)

    async def _room(self, edge: Node) -> int:
        now = time.time()
        others = await self._nodes.listing()
        readers = await self._beats.readers(others, now)
        room = room_beside(edge, others, readers)
        return int(max(0, min(AT_ONCE, room - await self._beats.on_their_way(now))))

    async def _lots(self, edge: Node) -> list[float] | None:
        """Of those who are there. Whoever had the time to go and has not is closed.
        None: it does not say, or not all who are there are known."""
        if edge.role == "cache":
            found = await self._beats.staying(edge.name, time.time())
            if found is None:
                return None
            return [lot(edge.name, viewer) for viewer in found]
        lots: dict[str, float] = {}

        def has_to_go(reader: Reader) -> bool:
            viewer = self._viewer(reader)
            lots[viewer] = lot(edge.name, viewer)
            return lots[viewer] < edge.let_go

        answer = await self._nodes.api(edge).kick_readers(has_to_go)
        return list(lots.values()) if answer == "answered" else None

    def _viewer(self, reader: Reader) -> str:
        token = viewer_token(self._viewer_key, reader.query, reader.path)
        return viewer_of_address(reader.address) if token is None else token.viewer
