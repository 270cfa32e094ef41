"""The media nodes: which there are, how to reach them, which one takes a session."""

from collections.abc import Callable

from control_plane.base.database import Executor, Pool
from control_plane.base.faults import Missing, Rejected
from control_plane.base.refusals import Refusal, Unavailable
from control_plane.live.model.nodes import Node, NodeApi
from control_plane.live.store import nodes

NO_NODE = "No media server can take a broadcast right now."

#: Makes a node's control API; the wiring knows how.
Connect = Callable[[Node], NodeApi]


class Nodes:
    def __init__(self, pool: Pool, connect: Connect) -> None:
        self._pool = pool
        self._connect = connect

    def api(self, node: Node) -> NodeApi:
        return self._connect(node)

    async def get(self, name: str) -> Node:
        node = await nodes.get(self._pool, name)
        if node is None:
            raise Unavailable("There is no such media node.")
        return node

    async def listing(self) -> list[Node]:
        return await nodes.listing(self._pool)

    async def least_busy(self, executor: Executor) -> Node:
        node = await nodes.least_busy(executor)
        if node is None:
            raise Unavailable(NO_NODE)
        return node

    async def save(self, node: Node) -> None:
        try:
            await nodes.save(self._pool, node)
        except Rejected:
            raise Refusal(
                "A node's name is lower-case letters, digits and -, at most 32."
            ) from None

    async def remove(self, name: str) -> None:
        try:
            removed = await nodes.remove(self._pool, name)
        except Missing:
            raise Refusal("It has had sessions: drain it instead.") from None
        if not removed:
            raise Refusal("There is no such media node.")

    async def set_draining(self, name: str, *, draining: bool) -> None:
        if not await nodes.set_draining(self._pool, name, draining):
            raise Refusal("There is no such media node.")
