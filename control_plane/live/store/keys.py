"""Stream keys, channels and the grants that remember which key let whom in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from control_plane.base.database import Connection, Executor, Record
from control_plane.live.model.keys import Channel, StreamKey
from control_plane.live.model.permissions import KeyPermit, Permission


@dataclass(frozen=True, slots=True)
class Grant:
    key_id: int | None
    granted_at: datetime
    ended_at: datetime | None
    #: So recently that a list which names it may be older than its end.
    just_ended: bool
    key_is_dead: bool  # revoked, or replaced by a newer one


async def add_session_key(
    executor: Executor,
    session_id: int,
    user_id: int,
    key_hash: bytes,
    hint: str,
    expires_in: timedelta,
) -> datetime:
    """When its first publish must have happened."""
    expires_at: datetime = await executor.fetchval(
        """
        INSERT INTO stream_keys (user_id, session_id, hash, hint, expires_at)
        VALUES ($1, $2, $3, $4, now() + $5) RETURNING expires_at
        """,
        user_id,
        session_id,
        key_hash,
        hint,
        expires_in,
    )
    return expires_at


async def add_channel_key(
    executor: Executor, channel: Channel, name: str, key_hash: bytes, hint: str
) -> int:
    return int(
        await executor.fetchval(
            """
            INSERT INTO stream_keys (user_id, channel_id, name, hash, hint)
            VALUES ($1, $2, $3, $4, $5) RETURNING id
            """,
            channel.user_id,
            channel.id,
            name,
            key_hash,
            hint,
        )
    )


async def channel_keys(executor: Executor, user_id: int) -> list[StreamKey]:
    rows = await executor.fetch(
        """
        SELECT k.id, k.name, k.hint, c.name AS channel, k.created_at,
            k.last_published_at, k.revoked_at
        FROM stream_keys k JOIN channels c ON c.id = k.channel_id
        WHERE k.user_id = $1 AND k.revoked_at IS NULL ORDER BY k.id
        """,
        user_id,
    )
    return [StreamKey(**dict(row)) for row in rows]


async def revoke(executor: Executor, user_id: int, key_id: int) -> str | None:
    """The path it opened, or None when the user has no such key."""
    path: str | None = await executor.fetchval(
        """
        UPDATE stream_keys k SET revoked_at = coalesce(k.revoked_at, now())
        WHERE k.id = $2 AND k.user_id = $1
        RETURNING coalesce((SELECT path FROM channels WHERE id = k.channel_id),
            (SELECT path FROM live_streaming_sessions WHERE id = k.session_id))
        """,
        user_id,
        key_id,
    )
    return path


async def mark_published(connection: Connection, key_id: int) -> None:
    """Older keys of the same session are refused from now on."""
    await connection.execute(
        """
        UPDATE stream_keys SET last_published_at = now(),
            first_published_at = coalesce(first_published_at, now()) WHERE id = $1
        """,
        key_id,
    )
    await connection.execute(
        """
        UPDATE stream_keys old SET superseded_at = now() FROM stream_keys new
        WHERE new.id = $1 AND old.session_id = new.session_id
            AND old.id < new.id AND old.superseded_at IS NULL
        """,
        key_id,
    )


async def channel_of_user(executor: Executor, user_id: int) -> Channel | None:
    return _channel(
        await executor.fetchrow(f"{_CHANNEL} WHERE c.user_id = $1", user_id)
    )


async def channel_at_path(executor: Executor, path: str) -> Channel | None:
    return _channel(await executor.fetchrow(f"{_CHANNEL} WHERE c.path = $1", path))


async def create_channel(executor: Executor, user_id: int, name: str) -> None:
    """Raises UniqueViolationError when the name is taken."""
    await executor.execute(
        "INSERT INTO channels (user_id, name, path) VALUES ($1, $2, 'live/' || $2)",
        user_id,
        name,
    )


async def close_channel(connection: Connection, channel_id: int, seconds: int) -> None:
    await connection.execute(
        "UPDATE channels SET closed_until = now() + make_interval(secs => $2)"
        " WHERE id = $1",
        channel_id,
        seconds,
    )


async def add_grant(
    executor: Executor, node: str, source_id: str, path: str, key_id: int | None
) -> None:
    await executor.execute(
        """
        INSERT INTO publish_grants (node, source_id, path, key_id)
        VALUES ($1, $2, $3, $4) ON CONFLICT (node, source_id) DO UPDATE
        SET key_id = coalesce(excluded.key_id, publish_grants.key_id)
        """,
        node,
        source_id,
        path,
        key_id,
    )


async def end_grant(executor: Executor, node: str, source_id: str, path: str) -> None:
    """Also of a source we never heard of: its late ``ready`` must not count."""
    await executor.execute(
        """
        INSERT INTO publish_grants (node, source_id, path, ended_at)
        VALUES ($1, $2, $3, now()) ON CONFLICT (node, source_id) DO UPDATE
        SET ended_at = coalesce(publish_grants.ended_at, now())
        """,
        node,
        source_id,
        path,
    )


async def reopen_grant(executor: Executor, node: str, source_id: str) -> None:
    """The node lists it, whatever a message said."""
    await executor.execute(
        "UPDATE publish_grants SET ended_at = NULL"
        " WHERE node = $1 AND source_id = $2 AND ended_at IS NOT NULL",
        node,
        source_id,
    )


async def grants(
    executor: Executor, node: str, source_ids: Sequence[str]
) -> dict[str, Grant]:
    rows = await executor.fetch(
        """
        SELECT g.source_id, g.key_id, g.granted_at, g.ended_at,
            g.ended_at > clock_timestamp() - interval '5 s' AS just_ended,
            k.revoked_at IS NOT NULL OR k.superseded_at IS NOT NULL AS key_is_dead
        FROM publish_grants g LEFT JOIN stream_keys k ON k.id = g.key_id
        WHERE g.node = $1 AND g.source_id = ANY($2)
        """,
        node,
        list(source_ids),
    )
    return {
        row["source_id"]: Grant(
            row["key_id"],
            row["granted_at"],
            row["ended_at"],
            bool(row["just_ended"]),
            row["key_is_dead"],
        )
        for row in rows
    }


async def coming(executor: Executor, node: str, path: str, seconds: int) -> list[str]:
    """Source ids let in on this path so recently that no list may name them yet."""
    rows = await executor.fetch(
        """
        SELECT source_id FROM publish_grants
        WHERE node = $1 AND path = $2 AND ended_at IS NULL
            AND granted_at > now() - make_interval(secs => $3)
        """,
        node,
        path,
        seconds,
    )
    return [row["source_id"] for row in rows]


async def forget_old_grants(executor: Executor) -> None:
    await executor.execute(
        """
        DELETE FROM publish_grants g WHERE granted_at < now() - interval '1 day'
        AND NOT EXISTS (SELECT FROM live_streaming_sessions s
            WHERE s.path = g.path AND s.publisher_id = g.source_id)
        """
    )


async def permissions(
    executor: Executor, paths: Sequence[str]
) -> dict[str, Permission]:
    """What decides about each of these paths; unknown ones are missing."""
    rows = await executor.fetch(
        """
        SELECT p.path, coalesce(s.id, 0) AS session_id,
            coalesce(s.status, '') AS status, coalesce(c.id, 0) AS channel_id,
            c.closed_until, u.id AS user_id,
            u.banned_at IS NOT NULL OR u.deleted_at IS NOT NULL AS banned
        FROM unnest($1::text[]) AS p(path)
        LEFT JOIN LATERAL (SELECT id, status, user_id FROM live_streaming_sessions
            WHERE path = p.path ORDER BY id DESC LIMIT 1) s ON true
        LEFT JOIN channels c ON c.path = p.path
        JOIN users u ON u.id = coalesce(s.user_id, c.user_id)
        """,
        list(paths),
    )
    keys = await _key_permits(executor, rows)
    return {
        row["path"]: Permission(
            keys=tuple(
                keys.get(("session", row["session_id"]), [])
                + keys.get(("channel", row["channel_id"]), [])
            ),
            **dict(row),
        )
        for row in rows
    }


async def open_paths(executor: Executor) -> list[str]:
    rows = await executor.fetch(
        "SELECT path FROM live_streaming_sessions"
        " WHERE status IN ('created', 'live', 'reconnecting')"
        " UNION SELECT path FROM channels"
    )
    return [row["path"] for row in rows]


_CHANNEL = """
    SELECT c.id, c.user_id, c.name, c.path, c.closed_until,
        u.banned_at IS NOT NULL OR u.deleted_at IS NOT NULL AS banned
    FROM channels c JOIN users u ON u.id = c.user_id
"""


def _channel(row: Record | None) -> Channel | None:
    return None if row is None else Channel(**dict(row))


async def _key_permits(
    executor: Executor, owners: Sequence[Record]
) -> dict[tuple[str, int], list[KeyPermit]]:
    rows = await executor.fetch(
        """
        SELECT id, session_id, channel_id, hash, session_id IS NOT NULL AS of_session,
            expires_at, first_published_at IS NOT NULL AS published,
            superseded_at IS NOT NULL AS superseded, revoked_at IS NOT NULL AS revoked
        FROM stream_keys
        WHERE session_id = ANY($1) OR channel_id = ANY($2) ORDER BY id DESC
        """,
        [row["session_id"] for row in owners if row["session_id"]],
        [row["channel_id"] for row in owners if row["channel_id"]],
    )
    found: dict[tuple[str, int], list[KeyPermit]] = {}
    for row in rows:
        values = dict(row)
        session_id, channel_id = values.pop("session_id"), values.pop("channel_id")
        owner = (
            ("channel", channel_id) if session_id is None else ("session", session_id)
        )
        found.setdefault(owner, []).append(KeyPermit(**values))
    return found


async def forget(connection: Connection, user_id: int) -> None:
    """Their names too: a name may say who it was."""
    await connection.execute(
        "UPDATE stream_keys SET name = '', revoked_at = coalesce(revoked_at, now())"
        " WHERE user_id = $1",
        user_id,
    )


async def rename_channel(connection: Connection, user_id: int, name: str) -> None:
    """A channel's name is mostly its owner's; its sessions that are over keep none."""
    await connection.execute(
        """
        WITH renamed AS (
            UPDATE channels SET name = $2, path = 'live/' || $2
            WHERE user_id = $1 RETURNING id, path
        )
        UPDATE live_streaming_sessions s SET path = r.path FROM renamed r
        WHERE s.channel_id = r.id AND s.status IN ('ended', 'expired')
        """,
        user_id,
        name,
    )
