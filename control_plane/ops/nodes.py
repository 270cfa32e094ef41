"""``/v1``: nodes, what they are told, and the settings of the service."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from control_plane.base.refusals import BadInput, Empty
from control_plane.live.model.nodes import Answer, Node, Role
from control_plane.live.model.overview import NodeLoad
from control_plane.live.model.placing import room
from control_plane.live.service.emptying import Emptying
from control_plane.live.service.nodes import Nodes
from control_plane.live.service.overview import Overview
from control_plane.ops.routes import Call, Name, Nothing, Paged, Route, page_of

YAML = "application/yaml"
#: Of a node's name and MediaMTX's version. Raises ValueError with a sentence.
Render = Callable[[str, str], str]
AT_EDGES = (
    "Only the command line writes an edge's file: mediamtx-config --role edge,"
    " or edge-config for a cache."
)
#: By name: the value as text, and whether it is a secret.
InForce = Mapping[str, tuple[str, bool]]


class OneNode(Struct, forbid_unknown_fields=True):
    name: Name


class Configured(OneNode, kw_only=True):
    """``version``: of the server that reads it."""

    version: Annotated[str, Meta(pattern=r"^v[0-9.]{1,20}$")] = "v1.20.1"


class Room(Struct, frozen=True):
    """``bits``: a second, to readers. Null: no bound."""

    publishers: int | None
    readers: int | None
    bits: int | None


class NodeRow(Struct, frozen=True, kw_only=True):
    """``sessions``: that are open there, and need a publisher's place; ``live``: those
    with a picture; ``viewers``: of these; ``readers``: who reads there. ``let_go``: of
    an edge that drains, the share of its viewers that was sent elsewhere. ``closed``:
    it drains, and encoders are kept out. ``weight``: its share of the load."""

    name: str
    role: Role
    state: str
    closed: bool
    region: str
    weight: int
    capacity: Room
    room: Room
    sandbox: bool
    api_url: str
    rtmp_url: str
    hls_url: str
    silent_since: datetime | None
    sessions: int
    live: int
    viewers: int
    readers: int
    let_go: float


class NodePage(Struct, frozen=True):
    nodes: list[NodeRow]
    next: str | None


class NodeDetail(Struct, frozen=True):
    """``answer``: whether it answered just now, and ``reason``, why not. ``version``
    and ``started``: as it says; empty before v1.15.2."""

    node: NodeRow
    answer: Answer
    reason: str
    version: str
    started: str


class Left(Struct, frozen=True):
    """``left``: at an origin the broadcasts that run or may come back; else viewers."""

    left: int


class Setting(Struct, frozen=True):
    """``value``: of a secret only ``set`` or ``unset``."""

    name: str
    value: str
    secret: bool


class InForceNow(Struct, frozen=True):
    settings: list[Setting]


class NodesApi:
    def __init__(
        self,
        overview: Overview,
        nodes: Nodes,
        emptying: Emptying,
        render: Render,
        in_force: InForce,
    ) -> None:
        self._overview = overview
        self._nodes = nodes
        self._emptying = emptying
        self._render = render
        self._in_force = in_force

    def routes(self) -> list[Route]:
        one = "/v1/nodes/{name}"
        return [
            Route("GET", "/v1/nodes", "read", self.listing),
            Route("GET", one, "read", self.get),
            Route("GET", f"{one}/left", "read", self.left),
            Route("GET", f"{one}/mediamtx.yml", "admin", self.config, streams=YAML),
            Route("GET", "/v1/settings", "admin", self.settings),
        ]

    async def listing(self, call: Call[Paged, Nothing]) -> NodePage:
        """List nodes by name: how each is, and what it carries."""
        asked = call.params
        found = [one for one in await self._rows() if one.name > asked.after]
        page = found[: asked.limit + 1]
        return NodePage(page, page_of(page, asked.limit, lambda one: one.name))

    async def get(self, call: Call[OneNode, Nothing]) -> NodeDetail:
        """One node, which is asked what it is."""
        node = await self._known(call.params.name)
        [row] = [one for one in await self._rows() if one.name == node.name]
        said = await self._nodes.api(node).info()
        return NodeDetail(row, said.answer, said.reason, said.version, said.started)

    async def left(self, call: Call[OneNode, Nothing]) -> Left:
        """How many a node has yet that drains."""
        node = await self._known(call.params.name)
        return Left(await self._emptying.left(node.name))

    async def config(self, call: Call[Configured, Nothing]) -> web.Response:
        """A node's mediamtx.yml, which holds its secret."""
        asked = call.params
        if (await self._known(asked.name)).role != "origin":
            raise BadInput(AT_EDGES)
        try:
            text = self._render(asked.name, asked.version)
        except ValueError as error:
            raise BadInput(str(error)) from None
        headers = {"Cache-Control": "no-store"}
        return web.Response(text=text, content_type=YAML, headers=headers)

    async def settings(self, call: Call[Nothing, Nothing]) -> InForceNow:
        """The settings in force, without secrets."""
        found = [Setting(name, *told) for name, told in self._in_force.items()]
        return InForceNow(found)

    async def _known(self, name: str) -> Node:
        for node in await self._nodes.listing():
            if node.name == name:
                return node
        raise Empty("There is no such media node.")

    async def _rows(self) -> list[NodeRow]:
        rows = [_row(*one) for one in await self._overview.nodes()]
        return sorted(rows, key=lambda one: one.name)


def _row(node: Node, load: NodeLoad) -> NodeRow:
    return NodeRow(
        name=node.name,
        role=node.role,
        state=node.state,
        closed=node.closed,
        region=node.region,
        weight=node.weight,
        capacity=Room(node.most_publishers, node.most_readers, node.most_bits),
        room=Room(
            room(node.most_publishers, load.sessions),
            room(node.most_readers, load.readers),
            room(node.most_bits, node.bits),
        ),
        sandbox=node.sandbox,
        api_url=node.api_url,
        rtmp_url=node.rtmp_url,
        hls_url=node.hls_url,
        silent_since=node.silent_since,
        sessions=load.sessions,
        live=load.live,
        viewers=load.viewers,
        readers=load.readers,
        let_go=node.let_go,
    )
