"""Starts of broadcasts: those that come at the same time, in one transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from control_plane.base.batches import Lane
from control_plane.base.database import Connection, Pool
from control_plane.base.faults import Collided, Missing, Rejected, Taken
from control_plane.base.refusals import Refusal, Unavailable
from control_plane.events.log import (
    append_session_event,
    append_session_events,
    append_user_events,
)
from control_plane.live.model.nodes import Node
from control_plane.live.model.starts import Opened, Wanted
from control_plane.live.service.lifecycle import Spans
from control_plane.live.service.nodes import NO_NODE, Nodes
from control_plane.live.service.rights import owe, set_policy
from control_plane.live.store import openings, sessions

MOST = 50  # starts in a batch
TRIES = 10  # of one user at the same time


class Starting:
    def __init__(self, pool: Pool, nodes: Nodes, spans: Spans) -> None:
        self._pool = pool
        self._nodes = nodes
        self._spans = spans
        self._lane: Lane[Wanted, Opened] = Lane(
            self._start, MOST, of_one=(Rejected, Collided)
        )

    async def start(self, wanted: Wanted) -> Opened:
        """A new session, or one more key for the one that is open."""
        for _ in range(TRIES):
            try:
                return await self._lane.submit(wanted)
            except (Taken, Missing):
                continue  # another of this user's came first, or the node is removed
        raise Refusal("Another start is under way. Please try again.")

    async def _start(self, wanted: Sequence[Wanted]) -> Sequence[Opened | Exception]:
        first = {one.user_id: one for one in reversed(wanted)}
        async with self._pool.transaction() as connection:
            opened = await self._together(connection, list(first.values()))
        return [
            opened.get(one.user_id) or Unavailable(NO_NODE)
            if one is first[one.user_id]
            else Taken("One start of a user at a time.")
            for one in wanted
        ]

    async def _together(
        self, connection: Connection, wanted: Sequence[Wanted]
    ) -> dict[int, Opened]:
        """By user; missing: for whom there is no node."""
        again = await openings.again(connection, wanted)
        others = [one for one in wanted if one.user_id not in again]
        spans = self._spans
        regions = [one.start.region for one in others]
        nodes = await self._nodes.find_origins(connection, regions)
        placed = {
            one: node.name
            for one, node in zip(others, nodes, strict=True)
            if node is not None
        }
        new = await openings.on_own_path(
            connection, placed, spans.reconnect_window, spans.longest
        )
        await _say_opened(connection, new.values())
        await _say_again(connection, again)
        moved = await self._going_on(connection, wanted, again)
        opened = again | moved | new
        await _say_keys(connection, opened)
        return await _with_terms(connection, wanted, opened)

    async def _going_on(
        self,
        connection: Connection,
        wanted: Sequence[Wanted],
        again: Mapping[int, Opened],
    ) -> dict[int, Opened]:
        """Hosts whose node is lost, silent or draining are sent to another: with them
        the session, or, while there still is a picture, their next picture alone."""
        ill = [
            (one.start.region, again[one.user_id])
            for one in wanted
            if one.user_id in again and not again[one.user_id].node.is_well
        ]
        regions = [region for region, _ in ill]
        nodes = await self._nodes.find_origins(connection, regions)
        return {
            old.session.user_id: await _moved(connection, old, node)
            for (_, old), node in zip(ill, nodes, strict=True)
            if node is not None and node.is_well and node.name != old.node.name
        }


async def _moved(connection: Connection, old: Opened, node: Node) -> Opened:
    session = await sessions.move(connection, old.session.id, node.name)
    if session is not None:
        data = {"node": node.name, "from_node": old.node.name}
        await append_session_event(connection, session.id, "live.moved", data)
    return replace(old, session=session or old.session, node=node)


async def _with_terms(
    connection: Connection, wanted: Sequence[Wanted], opened: dict[int, Opened]
) -> dict[int, Opened]:
    """Who may watch, where the host says so."""
    for one in wanted:
        found = opened.get(one.user_id)
        if found is None or one.start.watch is None:
            continue
        if await set_policy(connection, found.session.id, one.start.watch):
            await owe(connection, found.session.id)  # the host waits for no node
        session = await sessions.get(connection, found.session.id)
        opened[one.user_id] = replace(found, session=session or found.session)
    return opened


async def _say_opened(connection: Connection, new: Collection[Opened]) -> None:
    happened = [(one.session.id, {"node": one.node.name}) for one in new]
    await append_session_events(connection, "live.created", happened)


async def _say_again(connection: Connection, again: Mapping[int, Opened]) -> None:
    changed = [
        (one.session.id, {"title": one.other_title, "cover": one.other_cover})
        for one in again.values()
        if one.other_title or one.other_cover
    ]
    await append_session_events(connection, "live.changed", changed)


async def _say_keys(connection: Connection, opened: Mapping[int, Opened]) -> None:
    retired = [
        (user_id, {"key_id": key_id, "session_id": one.session.id})
        for user_id, one in opened.items()
        for key_id in one.retired
    ]
    await append_user_events(connection, "key.superseded", retired)
    made = [
        (user_id, {"key_id": one.key_id, "session_id": one.session.id})
        for user_id, one in opened.items()
    ]
    await append_user_events(connection, "key.created", made)
