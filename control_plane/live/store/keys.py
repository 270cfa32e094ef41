"""Stream keys, and what is known about each path that they open."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from control_plane.base.database import Connection, Executor, Record
from control_plane.base.tasks import in_turns
from control_plane.live.model.keys import (
    Channel,
    Replacement,
    Revoked,
    StreamKey,
    Terms,
)
from control_plane.live.model.permissions import FOR_GOOD, KeyPermit, Permission

MOST_LISTED = 100

Denied = TypeVar("Denied", int, str)


async def add_channel_key(
    executor: Executor,
    channel: Channel,
    name: str,
    key_hash: bytes,
    hint: str,
    terms: Terms,
    device: str,
) -> int:
    return int(
        await executor.fetchval(
            """
            INSERT INTO stream_keys (user_id, channel_id, name, hash, hint,
                opens_at, closes_at, one_shot, device)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id
            """,
            channel.user_id,
            channel.id,
            name,
            key_hash,
            hint,
            terms.opens_at,
            terms.closes_at,
            terms.one_shot,
            device,
        )
    )


async def count_usable(executor: Executor, user_id: int) -> int:
    """Of the user's channel: those that can still open it, now or later."""
    return int(
        await executor.fetchval(
            """
            SELECT count(*) FROM stream_keys WHERE user_id = $1
                AND channel_id IS NOT NULL AND revoked_at IS NULL
                AND spent_on IS NULL AND (closes_at IS NULL OR closes_at > now())
            """,
            user_id,
        )
    )


async def rotate(
    connection: Connection, key_id: int, new_id: int, overlap: timedelta
) -> datetime:
    """When the old one opens nothing any more; never later than it did."""
    closes_at: datetime = await connection.fetchval(
        """
        UPDATE stream_keys SET replaced_by = $2,
            closes_at = least(closes_at, now() + $3) WHERE id = $1
        RETURNING closes_at
        """,
        key_id,
        new_id,
        overlap,
    )
    return closes_at


async def replacement(
    executor: Executor, user_id: int, key_id: int
) -> Replacement | None:
    """Unless it is revoked."""
    row = await executor.fetchrow(
        "SELECT new.id, new.name, new.hash FROM stream_keys old"
        " JOIN stream_keys new ON new.id = old.replaced_by"
        " WHERE old.user_id = $1 AND old.id = $2 AND new.revoked_at IS NULL",
        user_id,
        key_id,
    )
    return None if row is None else Replacement(**dict(row))


async def channel_keys(executor: Executor, user_id: int) -> list[StreamKey]:
    """The newest, the oldest of them first."""
    rows = await executor.fetch(
        """
        SELECT k.id, k.name, k.hint, c.name AS channel, k.created_at,
            k.last_published_at, k.opens_at, k.closes_at, k.replaced_by,
            k.one_shot, k.spent_on, k.device
        FROM stream_keys k JOIN channels c ON c.id = k.channel_id
        WHERE k.user_id = $1 AND k.revoked_at IS NULL ORDER BY k.id DESC LIMIT $2
        """,
        user_id,
        MOST_LISTED,
    )
    return [StreamKey(**dict(row)) for row in reversed(rows)]


async def revoke(executor: Executor, user_id: int, key_id: int) -> Revoked | None:
    """None when the user has no such key."""
    row = await executor.fetchrow(
        """
        UPDATE stream_keys k SET revoked_at = coalesce(k.revoked_at, now())
        FROM (SELECT id, revoked_at FROM stream_keys WHERE id = $2 FOR UPDATE) AS old
        WHERE k.id = old.id AND k.user_id = $1
        RETURNING coalesce((SELECT path FROM channels WHERE id = k.channel_id),
            (SELECT path FROM live_streaming_sessions WHERE id = k.session_id)) AS path,
            coalesce(k.session_id, 0) AS session_id, old.revoked_at IS NULL AS now
        """,
        user_id,
        key_id,
    )
    return None if row is None else Revoked(**dict(row))


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


async def mark_published(
    connection: Connection, key_id: int, session_id: int
) -> list[int]:
    """Older keys of the same session, those that come back, are refused from now
    on; one for one broadcast opens no other."""
    await connection.execute(
        """
        UPDATE stream_keys SET last_published_at = now(),
            first_published_at = coalesce(first_published_at, now()),
            spent_on = CASE WHEN one_shot THEN coalesce(spent_on, $2) END
        WHERE id = $1
        """,
        key_id,
        session_id,
    )
    rows = await connection.fetch(
        """
        UPDATE stream_keys old SET superseded_at = now() FROM stream_keys new
        WHERE new.id = $1 AND old.session_id = new.session_id
            AND old.user_id = new.user_id  -- by whose index they are found
            AND old.id < new.id AND old.superseded_at IS NULL RETURNING old.id
        """,
        key_id,
    )
    return [row["id"] for row in rows]


async def permissions(
    executor: Executor, paths: Sequence[str]
) -> dict[str, Permission]:
    """What decides about each of these paths; unknown ones are missing."""
    rows = await executor.fetch(
        """
        SELECT p.path, coalesce(s.id, 0) AS session_id,
            coalesce(s.status, '') AS status, coalesce(c.id, 0) AS channel_id,
            c.closed_until, u.id AS user_id,
            u.banned_at IS NOT NULL OR u.deleted_at IS NOT NULL AS banned,
            coalesce(s.node, '') AS node,
            coalesce(s.policy, 'default') AS policy,
            coalesce(s.token_epoch, 0) AS token_epoch, d.users, d.viewers, d.epochs
        FROM unnest($1::text[]) AS p(path)
        LEFT JOIN LATERAL (SELECT id, status, user_id, node, policy, token_epoch
            FROM live_streaming_sessions
            WHERE path = p.path ORDER BY id DESC LIMIT 1) s ON true
        LEFT JOIN LATERAL (SELECT array_agg(user_id) AS users,
            array_agg(viewer) AS viewers, array_agg(epoch) AS epochs
            FROM viewer_denials WHERE session_id = s.id) d ON true
        LEFT JOIN channels c ON c.path = p.path
        JOIN users u ON u.id = coalesce(s.user_id, c.user_id)
        """,
        list(paths),
    )
    keys = await _key_permits(executor, rows)
    return {row["path"]: _permission(row, keys) async for row in in_turns(rows)}


def _permission(
    row: Record, keys: Mapping[tuple[str, int], Mapping[bytes, KeyPermit]]
) -> Permission:
    values = dict(row)
    users, viewers, epochs = (
        values.pop(name) or () for name in ("users", "viewers", "epochs")
    )
    return Permission(
        keys={
            **keys.get(("session", row["session_id"]), {}),
            **keys.get(("channel", row["channel_id"]), {}),
        },
        denied_users=_denied(users, epochs),
        denied_viewers=_denied(viewers, epochs),
        **values,
    )


def _denied(
    names: Sequence[Denied | None], epochs: Sequence[int | None]
) -> dict[Denied, int]:
    return {
        name: FOR_GOOD if epoch is None else epoch
        for name, epoch in zip(names, epochs, strict=True)
        if name is not None
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
            expires_at, first_published_at IS NOT NULL AS published,
            opens_at, closes_at, coalesce(spent_on, 0) AS spent_on, device
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
