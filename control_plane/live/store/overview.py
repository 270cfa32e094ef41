"""What operators see of sessions, channels and keys, page by page."""

from collections.abc import Sequence
from dataclasses import fields

from control_plane.base.database import Executor, Record
from control_plane.live.model.overview import ChannelRow, KeyRow
from control_plane.live.model.sessions import LiveSession
from control_plane.live.store.sessions import SELECT

_CHANNEL = """
    SELECT c.id, c.name, c.path, c.user_id, u.username, c.closed_until, c.created_at,
        (SELECT s.id FROM live_streaming_sessions s WHERE s.path = c.path
            AND s.status IN ('created', 'live', 'reconnecting')) AS session_id
    FROM channels c JOIN users u ON u.id = c.user_id
"""
_KEY_COLUMNS = ", ".join(f"k.{f.name}" for f in fields(KeyRow) if f.name != "channel")
_KEY = f"""
    SELECT {_KEY_COLUMNS}, coalesce(c.name, '') AS channel
    FROM stream_keys k LEFT JOIN channels c ON c.id = k.channel_id
"""  # noqa: S608


async def open_sessions(executor: Executor) -> list[LiveSession]:
    """All of them, the newest first."""
    rows = await executor.fetch(
        f"{SELECT} WHERE s.status IN ('created', 'live', 'reconnecting')"
        " ORDER BY s.id DESC"
    )
    return [_session(row) for row in rows]


async def sessions(
    executor: Executor,
    statuses: Sequence[str],
    *,
    node: str,
    user_id: int,
    words: str,
    before: int,
    limit: int,
) -> list[LiveSession]:
    """Of those below an id, the newest first. ``words``: in lower case, of the title or
    the beginning of the username. Nothing: any."""
    rows = await executor.fetch(
        f"{SELECT} WHERE s.id < $5 AND s.status = ANY($1) AND ($2 = '' OR s.node = $2)"
        " AND ($3 = 0 OR s.user_id = $3) AND ($4 = '' OR position($4 in"
        " lower(s.title)) > 0 OR starts_with(lower(u.username), $4))"
        " ORDER BY s.id DESC LIMIT $6",
        list(statuses),
        node,
        user_id,
        words,
        before,
        limit,
    )
    return [_session(row) for row in rows]


async def channels(
    executor: Executor, beginning: str, before: int, limit: int
) -> list[ChannelRow]:
    rows = await executor.fetch(
        f"{_CHANNEL} WHERE c.id < $2 AND starts_with(c.name, $1)"
        " ORDER BY c.id DESC LIMIT $3",
        beginning,
        before,
        limit,
    )
    return [ChannelRow(**dict(row)) for row in rows]


async def channel(executor: Executor, channel_id: int) -> ChannelRow | None:
    row = await executor.fetchrow(f"{_CHANNEL} WHERE c.id = $1", channel_id)
    return None if row is None else ChannelRow(**dict(row))


async def channel_of(executor: Executor, user_id: int) -> ChannelRow | None:
    row = await executor.fetchrow(f"{_CHANNEL} WHERE c.user_id = $1", user_id)
    return None if row is None else ChannelRow(**dict(row))


async def keys(
    executor: Executor,
    *,
    user_id: int,
    session_id: int,
    channel_id: int,
    before: int,
    limit: int,
) -> list[KeyRow]:
    """0: of any."""
    rows = await executor.fetch(
        f"{_KEY} WHERE k.id < $4 AND ($1 = 0 OR k.user_id = $1)"
        " AND ($2 = 0 OR k.session_id = $2) AND ($3 = 0 OR k.channel_id = $3)"
        " ORDER BY k.id DESC LIMIT $5",
        user_id,
        session_id,
        channel_id,
        before,
        limit,
    )
    return [KeyRow(**dict(row)) for row in rows]


async def key(executor: Executor, key_id: int) -> KeyRow | None:
    row = await executor.fetchrow(f"{_KEY} WHERE k.id = $1", key_id)
    return None if row is None else KeyRow(**dict(row))


def _session(row: Record) -> LiveSession:
    return LiveSession(*row)
