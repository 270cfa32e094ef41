"""Broadcasts with their hosts and nodes, as viewers ask for them."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from control_plane.base.database import Executor
from control_plane.live.model.nodes import Node
from control_plane.live.model.sessions import LiveSession
from control_plane.live.model.watching import Broadcast
from control_plane.people.store.relations import apart

_SESSION = [field.name for field in fields(LiveSession)]
_NODE = [field.name for field in fields(Node)]
#: For :func:`broadcast`: of s, a session, of u, its host, and of n, its node.
COLUMNS = ", ".join(
    [
        *("u.username" if name == "username" else f"s.{name}" for name in _SESSION),
        *(f"n.{name}" for name in _NODE),
        "u.profile_pic",
    ]
)
#: WATCHABLE, as the index of what is live has it.
_IS_LIVE = "s.status IN ('live', 'reconnecting')"
_SESSIONS = """
    live_streaming_sessions s JOIN users u ON u.id = s.user_id
    JOIN nodes n ON n.name = s.node
"""


async def at(
    executor: Executor, ids: Mapping[str, int], channels: Sequence[str]
) -> dict[str, Broadcast]:
    """By the name it was asked for: sessions by ``ids``, and the newest of each of
    ``channels``. What there is nothing of is missing."""
    rows = await executor.fetch(
        f"""
        SELECT {COLUMNS}, asked.name AS asked FROM (
            SELECT * FROM unnest($1::text[], $2::integer[]) AS of_ids(name, id)
            UNION ALL
            SELECT name, (SELECT id FROM live_streaming_sessions
                WHERE path = 'live/' || name ORDER BY id DESC LIMIT 1)
            FROM unnest($3::text[]) AS of_channels(name)
        ) AS asked JOIN ({_SESSIONS}) ON s.id = asked.id
        """,  # noqa: S608
        list(ids),
        list(ids.values()),
        list(channels),
    )
    return {row["asked"]: broadcast(row[:-1]) for row in rows}


async def live(
    executor: Executor, viewer_id: int, limit: int, offset: int
) -> list[Broadcast]:
    """Newest first; none of a host whom a block keeps apart from the viewer. 0: for
    everybody."""
    rows = await executor.fetch(
        f"""
        SELECT {COLUMNS} FROM {_SESSIONS}
        WHERE {_IS_LIVE} AND ($1 = 0 OR NOT {apart("s.user_id", "$1")})
        ORDER BY s.started_at DESC, s.id DESC LIMIT $2 OFFSET $3
        """,  # noqa: S608
        viewer_id,
        limit,
        offset,
    )
    return [broadcast(tuple(row)) for row in rows]


def broadcast(values: tuple[Any, ...]) -> Broadcast:
    session, node = values[: len(_SESSION)], values[len(_SESSION) : -1]
    return Broadcast(LiveSession(*session), Node(*node), values[-1])
