"""Channels: a user's lasting place to broadcast."""

from control_plane.base.database import Connection, Executor, Record
from control_plane.live.model.keys import Channel

_CHANNEL = """
    SELECT c.id, c.user_id, c.name, c.path, c.closed_until,
        u.banned_at IS NOT NULL OR u.deleted_at IS NOT NULL AS banned
    FROM channels c JOIN users u ON u.id = c.user_id
"""


async def of_user(executor: Executor, user_id: int) -> Channel | None:
    return _channel(
        await executor.fetchrow(f"{_CHANNEL} WHERE c.user_id = $1", user_id)
    )


async def at_path(executor: Executor, path: str) -> Channel | None:
    return _channel(await executor.fetchrow(f"{_CHANNEL} WHERE c.path = $1", path))


async def create(executor: Executor, user_id: int, name: str) -> None:
    """Raises Taken when the name is another's, as a channel's or as a username."""
    await executor.execute(
        "INSERT INTO channels (user_id, name, path) VALUES ($1, $2, 'live/' || $2)",
        user_id,
        name,
    )


async def lock(connection: Connection, channel_id: int) -> None:
    """What follows in this transaction counts what it has."""
    await connection.execute(
        "SELECT FROM channels WHERE id = $1 FOR UPDATE", channel_id
    )


async def close(connection: Connection, channel_id: int, seconds: int) -> None:
    await connection.execute(
        "UPDATE channels SET closed_until = now() + make_interval(secs => $2)"
        " WHERE id = $1",
        channel_id,
        seconds,
    )


async def rename(connection: Connection, user_id: int, name: str) -> None:
    """A channel's name is mostly its owner's; its sessions that are over keep none. Who
    remembers the old path is told: triggers name the new one."""
    await connection.execute(
        """
        WITH old AS (SELECT id, path FROM channels WHERE user_id = $1 FOR UPDATE),
        renamed AS (
            UPDATE channels c SET name = $2, path = 'live/' || $2
            FROM old WHERE c.id = old.id RETURNING c.id, c.path, old.path AS old_path
        ), moved AS (
            UPDATE live_streaming_sessions s SET path = r.path FROM renamed r
            WHERE s.user_id = $1 AND s.channel_id = r.id
                AND s.status IN ('ended', 'expired')
        )
        SELECT pg_notify('permissions', old_path) FROM renamed
        """,
        user_id,
        name,
    )


def _channel(row: Record | None) -> Channel | None:
    return None if row is None else Channel(**dict(row))
