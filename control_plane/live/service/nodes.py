"""The media nodes: which there are, how to reach them, which one takes a session."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from control_plane.audit.log import record
from control_plane.base.database import Connection, Pool
from control_plane.base.faults import Missing, Rejected
from control_plane.base.refusals import Empty, Refusal, Unavailable
from control_plane.events.log import append_node_event
from control_plane.events.model import EventType
from control_plane.live.model.nodes import Node, NodeApi
from control_plane.live.model.placing import choose, spread
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

    async def edges(self) -> list[Node]:
        """All that viewers read from and encoders do not publish to."""
        return [node for node in await self.listing() if node.role != "origin"]

    async def some_origin(self) -> Node:
        """That takes a broadcast now. Raises Unavailable."""
        async with self._pool.transaction() as connection:
            node = await self.find_origin(connection, "")
        if node is None:
            raise Unavailable(NO_NODE)
        return node

    async def find_origin(self, connection: Connection, region: str) -> Node | None:
        return (await self.find_origins(connection, [region]))[0]

    async def find_origins(
        self, connection: Connection, regions: Sequence[str]
    ) -> list[Node | None]:
        """For broadcasts that this transaction puts there; of each where its host is,
        if that is known. None: none takes it."""
        if not regions:
            return []
        origins = await nodes.origins(connection)
        if any(one.node.most_publishers is not None for one in origins):
            await nodes.lock_places(connection)
            origins = await nodes.origins(connection)
        return spread(origins, regions)

    async def goes_on_at(self, connection: Connection, node: Node, region: str) -> Node:
        """A broadcast of this node: there, or where another is better off."""
        if node.is_well:
            return node
        other = await self.find_origin(connection, region)
        return node if other is None or not other.is_well else other

    async def save(self, node: Node) -> None:
        try:
            await self._save(node)
        except Rejected:
            raise Refusal(
                "A node's name is lower-case letters, digits and -, at most 32."
            ) from None

    async def remove(self, name: str) -> None:
        try:
            async with self._pool.transaction() as connection:
                node_id = await _existing(connection, name)
                data = {"name": name}
                await append_node_event(connection, node_id, "node.removed", data)
                await nodes.remove(connection, name)
                await record(connection, "node.removed", f"node/{name}")
        except Missing:
            raise Refusal("It has had sessions: drain it instead.") from None

    async def set_draining(
        self, name: str, *, draining: bool, closed: bool = False
    ) -> None:
        """``closed``: its encoders are cut, too, and kept out, so that their broadcasts
        go on elsewhere. Raises Refusal when nobody takes them."""
        kind: EventType = "node.drained" if draining else "node.activated"
        async with self._pool.transaction() as connection:
            if closed:  # of two at once each would count on the other
                await nodes.lock_places(connection)
            node_id = await _existing(connection, name)
            if closed and not await _others(connection, name):
                raise Refusal("No other media server takes broadcasts.")
            if await nodes.set_draining(connection, name, draining, closed):
                data = {"name": name, "closed": closed} if draining else {"name": name}
                await append_node_event(connection, node_id, kind, data)
                after = {"draining": draining, "closed": closed}
                await record(connection, kind, f"node/{name}", after=after)

    async def heard(self, name: str, started: str, bits: int = 0) -> bool:
        """It answered, and sends its readers so many bits a second. True when it was
        restarted since it did so last."""
        async with self._pool.transaction() as connection:
            before = await nodes.heard(connection, name, started, bits)
            if before is None:
                return False
            restarted = before.started not in ("", started)
            if before.lost:
                await append_node_event(
                    connection, before.id, "node.found", {"name": name}
                )
            if restarted:
                await append_node_event(
                    connection, before.id, "node.restarted", {"name": name}
                )
        return restarted

    async def unheard(
        self, name: str, lost_after: timedelta, because: str = ""
    ) -> bool:
        """It did not answer. True when that makes it lost now."""
        async with self._pool.transaction() as connection:
            node_id = await nodes.unheard(connection, name, because, lost_after)
            if node_id is not None:
                await append_node_event(
                    connection, node_id, "node.lost", {"name": name}
                )
        return node_id is not None

    async def _save(self, node: Node) -> None:
        async with self._pool.transaction() as connection:
            known = await nodes.get(connection, node.name)
            saved = await nodes.save(connection, node)
            if saved is not None:
                node_id, is_new = saved
                kind: EventType = "node.added" if is_new else "node.changed"
                after = _settings(node)
                await append_node_event(connection, node_id, kind, after)
                before = {} if known is None else _settings(known)
                subject = f"node/{node.name}"
                await record(connection, kind, subject, before=before, after=after)


async def _existing(connection: Connection, name: str) -> int:
    node_id = await nodes.id_of(connection, name)
    if node_id is None:
        raise Empty("There is no such media node.")
    return node_id


async def _others(connection: Connection, name: str) -> bool:
    found = [one for one in await nodes.origins(connection) if one.node.name != name]
    other = choose(found)
    return other is not None and other.is_well


def _settings(node: Node) -> dict[str, object]:
    return {
        "name": node.name,
        "api_url": node.api_url,
        "region": node.region,
        "sandbox": node.sandbox,
        "role": node.role,
        "weight": node.weight,
        "most_publishers": node.most_publishers,
        "most_readers": node.most_readers,
        "most_bits": node.most_bits,
    }
