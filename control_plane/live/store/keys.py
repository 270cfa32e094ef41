"""Stream keys, and what is known about each path that they open."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from control_plane.base.database import Connection, Executor, Record
from control_plane.base.tasks import in_turns
from control_plane.live.model.keys import Channel, StreamKey
from control_plane.live.model.permissions import KeyPermit, Permission


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


async def retire_unused(connection: Connection, session_id: int, keep: int) -> None:
    """All but the newest of a session's keys that nobody has published with."""
    await connection.execute(
        """
        UPDATE stream_keys SET superseded_at = now() WHERE id IN (
            SELECT id FROM stream_keys WHERE session_id = $1
                AND first_published_at IS NULL
                AND revoked_at IS NULL AND superseded_at IS NULL
            ORDER BY id DESC OFFSET $2)
        """,
        session_id,
        keep,
    )


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


async def find(
    executor: Executor, shown: Mapping[str, tuple[str, Sequence[bytes]]]
) -> dict[str, int]:
    """``shown``: by a source's id, its path and what it may be a key. Whose is one of
    this path, dead ones too, a living one first."""
    rows = await executor.fetch(
        """
        SELECT DISTINCT ON (shown.source_id) shown.source_id, k.id
        FROM unnest($1::text[], $2::text[], $3::bytea[]) AS shown(source_id, path, hash)
        JOIN stream_keys k ON k.hash = shown.hash
        LEFT JOIN live_streaming_sessions s ON s.id = k.session_id
        LEFT JOIN channels c ON c.id = k.channel_id
        WHERE coalesce(s.path, c.path) = shown.path
        ORDER BY shown.source_id,
            k.revoked_at IS NULL AND k.superseded_at IS NULL DESC, k.id DESC
        """,
        [source for source, (_, hashes) in shown.items() for _ in hashes],
        [path for path, hashes in shown.values() for _ in hashes],
        [one for _, hashes in shown.values() for one in hashes],
    )
    return {row["source_id"]: row["id"] for row in rows}


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
            keys=keys.get(("session", row["session_id"]), {})
            | keys.get(("channel", row["channel_id"]), {}),
            **dict(row),
        )
        async for row in in_turns(rows)
    }


async def open_paths(executor: Executor) -> list[str]:
    rows = await executor.fetch(
        "SELECT path FROM live_streaming_sessions"
        " WHERE status IN ('created', 'live', 'reconnecting')"
        " UNION SELECT path FROM channels"
    )
    return [row["path"] for row in rows]


async def _key_permits(
    executor: Executor, owners: Sequence[Record]
) -> dict[tuple[str, int], dict[bytes, KeyPermit]]:
    """By what they open, and by hash. Only those that can still decide."""
    rows = await executor.fetch(
        """
        SELECT id, session_id, channel_id, hash, session_id IS NOT NULL AS of_session,
            expires_at, first_published_at IS NOT NULL AS published
        FROM stream_keys
        WHERE (session_id = ANY($1) OR channel_id = ANY($2))
            AND revoked_at IS NULL AND superseded_at IS NULL
        """,
        [row["session_id"] for row in owners if row["session_id"]],
        [row["channel_id"] for row in owners if row["channel_id"]],
    )
    found: dict[tuple[str, int], dict[bytes, KeyPermit]] = {}
    for row in rows:
        values = dict(row)
        session_id, channel_id = values.pop("session_id"), values.pop("channel_id")
        owner = (
            ("channel", channel_id) if session_id is None else ("session", session_id)
        )
        found.setdefault(owner, {})[row["hash"]] = KeyPermit(**values)
    return found


async def forget(connection: Connection, user_id: int) -> None:
    """Their names too: a name may say who it was."""
    await connection.execute(
        "UPDATE stream_keys SET name = '', revoked_at = coalesce(revoked_at, now())"
        " WHERE user_id = $1",
        user_id,
    )
