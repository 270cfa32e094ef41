"""What operators scrape of broadcasts and nodes. Every process that runs this tells the
same: nothing is to be added up."""

import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from prometheus_client import Gauge

from control_plane.base.tasks import Loop
from control_plane.live.model.ingest import RULES, Health
from control_plane.live.model.nodes import Node
from control_plane.live.model.overview import Seen
from control_plane.live.model.sessions import Status
from control_plane.live.service.ingest_health import IngestHealth
from control_plane.live.service.nodes import Nodes
from control_plane.live.service.overview import Overview

EVERY = 15.0  # seconds
STATES: Sequence[Status] = ("created", "live", "reconnecting")

SESSIONS = Gauge("control_plane_sessions", "Open sessions by state.", ["state"])
VIEWERS = Gauge("control_plane_viewers", "Who watches now, all sessions together.")
INGEST = Gauge(
    "control_plane_ingest_sessions",
    "Live sessions whose stream comes in well, badly, or unmeasured.",
    ["health"],
)
PROBLEM = Gauge(
    "control_plane_ingest_problem_sessions", "Live sessions by problem.", ["problem"]
)
CONTESTED = Gauge(
    "control_plane_contested_sessions",
    "Whose encoders took the place of one another again and again just now.",
)
LOST = Gauge("control_plane_node_lost", "1 while a node counts as lost.", ["node"])
DRAINING = Gauge("control_plane_node_draining", "1: it gets no new one.", ["node"])
SILENT = Gauge(
    "control_plane_node_silent_seconds", "Since a node stopped answering.", ["node"]
)
LOAD = Gauge("control_plane_node_sessions", "Open sessions of a node.", ["node"])
_OF_NODES = (LOST, DRAINING, SILENT, LOAD)


class Figures:
    def __init__(self, overview: Overview, nodes: Nodes, health: IngestHealth) -> None:
        self._overview = overview
        self._nodes = nodes
        self._health = health

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with Loop("live_figures", self.look, EVERY).running():
            yield

    async def look(self) -> None:
        seen = await self._overview.open()
        nodes = await self._nodes.listing()
        healths = await self._health.of_all(one.session for one in seen)
        CONTESTED.set(len(await self._overview.contested()))
        _show_sessions(seen)
        _show_ingest(sum(one.session.status == "live" for one in seen), healths)
        _show_nodes(nodes, Counter(one.session.node for one in seen))


def _show_sessions(seen: Sequence[Seen]) -> None:
    found = Counter(one.session.status for one in seen)
    for state in STATES:
        SESSIONS.labels(state).set(found[state])
    VIEWERS.set(sum(one.viewers for one in seen))


def _show_ingest(live: int, healths: dict[int, Health]) -> None:
    bad = sum(bool(one.problems) for one in healths.values())
    INGEST.labels("bad").set(bad)
    INGEST.labels("well").set(len(healths) - bad)
    INGEST.labels("unmeasured").set(live - len(healths))
    found = Counter(problem for one in healths.values() for problem in one.problems)
    for problem in RULES:
        PROBLEM.labels(problem).set(found[problem])


def _show_nodes(nodes: Sequence[Node], loads: Counter[str]) -> None:
    now = datetime.now(UTC)
    for gauge in _OF_NODES:
        gauge.clear()
    for node in nodes:
        silent = node.silent_since
        since = 0.0 if silent is None else (now - silent).total_seconds()
        values = (node.lost, node.draining, since, loads[node.name])
        for gauge, value in zip(_OF_NODES, values, strict=True):
            gauge.labels(node.name).set(value)
