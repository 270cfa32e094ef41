"""Where each viewer reads: at the origin, or at one of its edges."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog

from control_plane.base.faults import Away
from control_plane.live.model.edges import ARRIVES, has_room, source
from control_plane.live.model.nodes import Node
from control_plane.live.service.nodes import Nodes
from control_plane.live.store.beats import Beats

log = structlog.get_logger(__name__)

LOOK_AGAIN = 1.0  # seconds


class Sources:
    """``_sent``: whom this process sent where, until when they are only expected."""

    def __init__(self, nodes: Nodes, beats: Beats) -> None:
        self._nodes = nodes
        self._beats = beats
        self._edges: Sequence[Node] = ()
        self._readers: Mapping[str, int] = {}
        self._looked_at = float("-inf")
        self._sent: dict[str, dict[str, float]] = {}

    async def of(self, origin: Node, session_id: int, viewer: str, region: str) -> Node:
        """The same for the same viewer, as long as there is room."""
        if origin.most_readers is None and origin.most_bits is None:
            return origin
        await self._look()
        expected = self._expected(viewer)
        origin = self._with(expected, origin)
        if not has_room(origin, expected) and await self._reads_at_origin(
            (session_id, origin.name), viewer
        ):
            return origin
        edges = [self._with(expected, edge) for edge in self._edges]
        found = source(origin, edges, expected, viewer, region)
        sent = self._sent.setdefault(found.name, {})
        sent.pop(viewer, None)
        sent[viewer] = time.monotonic() + ARRIVES
        return found

    async def leaving(self) -> Mapping[str, float]:
        """See :class:`Broadcast`."""
        await self._look()
        return {edge.name: edge.let_go for edge in self._edges if edge.let_go}

    async def _look(self) -> None:
        """While Redis is away, or has forgotten, what is known stands."""
        now = time.monotonic()
        if now < self._looked_at + LOOK_AGAIN:
            return
        self._looked_at = now
        nodes = await self._nodes.listing()
        self._edges = [node for node in nodes if node.role != "origin"]
        try:
            found = await self._beats.readers(nodes, time.time())
            self._readers = {**self._readers, **found}
        except Away as error:
            log.warning("readers of nodes are not known", error=repr(error))

    def _with(self, expected: Mapping[str, int], node: Node) -> Node:
        """Its bits once they are there who were sent there."""
        there = self._readers.get(node.name, 0)
        if not there or not node.bits:
            return node
        return replace(node, bits=node.bits * expected.get(node.name, 0) // there)

    def _expected(self, viewer: str) -> dict[str, int]:
        now = time.monotonic()
        expected = dict(self._readers)
        for name, sent in self._sent.items():
            while sent and (oldest := next(iter(sent))) and sent[oldest] < now:
                del sent[oldest]
            expected[name] = expected.get(name, 0) + len(sent) - (viewer in sent)
        return expected

    async def _reads_at_origin(self, place: tuple[int, str], viewer: str) -> bool:
        try:
            return await self._beats.is_at_origin(place, viewer)
        except Away:
            return False
