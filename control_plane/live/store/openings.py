"""Opening a session, and opening it once more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from control_plane.base.database import Connection, Executor, Record
from control_plane.live.model.keys import MOST_OF_SESSION, NewKey
from control_plane.live.model.nodes import Node
from control_plane.live.model.sessions import LiveSession
from control_plane.live.store import watching

#: The end of a query whose part ``mine`` is a session: a new key for it, and all that
#: its host is told; ``retired`` are keys that make room. $1: the user, $2 to $5: the
#: key.
_WITH_KEY = f"""
    key AS (
        INSERT INTO stream_keys (user_id, session_id, hash, hint, expires_at, device)
        SELECT $1, id, $2, $3, now() + $4, $5 FROM mine RETURNING id, expires_at
    )
    SELECT {watching.COLUMNS}, key.id AS key_id, key.expires_at AS key_expires_at,
        ARRAY(SELECT id FROM retired) AS retired
    FROM mine s JOIN users u ON u.id = s.user_id JOIN nodes n ON n.name = s.node, key
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Opened:
    session: LiveSession
    node: Node
    key_id: int
    key_expires_at: datetime
    retired: Sequence[int]  # ids of the keys that made room


def _opened(row: Record) -> Opened:
    found = watching.broadcast(row[:-3])
    return Opened(
        found.session,
        found.node,
        row["key_id"],
        row["key_expires_at"],
        row["retired"],
    )


async def on_own_path(
    connection: Connection,
    *,
    user_id: int,
    node: str,
    title: str,
    cover: str,
    client_started_at: str,
    reconnect_window: int,
    longest: timedelta,
    key: NewKey,
) -> Opened:
    """Open a session on a path of its own. Raises Taken when the user has one open
    already, Missing when the node was removed."""
    rows = await connection.fetch(
        f"""
        WITH next AS (
            SELECT nextval(pg_get_serial_sequence(
                'live_streaming_sessions', 'id'))::integer AS id
        ), mine AS (
            INSERT INTO live_streaming_sessions (id, user_id, path, node, status,
                title, cover, client_started_at, reconnect_window, longest,
                expires_at)
            SELECT id, $1, 'live/' || id, $11, 'created', $6, $7, $8, $9, $10,
                now() + $4
            FROM next RETURNING *
        ), retired AS (SELECT 0 AS id WHERE false), {_WITH_KEY}
        """,  # noqa: S608
        user_id,
        key.hash,
        key.hint,
        key.within,
        key.device,
        title,
        cover,
        client_started_at,
        reconnect_window,
        longest,
        node,
    )
    return _opened(rows[0])


async def again(
    executor: Executor, user_id: int, title: str, cover: str, key: NewKey
) -> Opened | None:
    """A second start: one more key, a later first publish, and a new title or cover if
    given. All but the newest keys that nobody has published with make room. None when
    the user has no session open."""
    row = await executor.fetchrow(
        f"""
        WITH mine AS (
            UPDATE live_streaming_sessions SET
                title = CASE WHEN $6 = '' THEN title ELSE $6 END,
                cover = CASE WHEN $7 = '' THEN cover ELSE $7 END,
                expires_at = CASE WHEN status = 'created'
                    THEN greatest(expires_at, now() + $4) ELSE expires_at END
            WHERE user_id = $1 AND status IN ('created', 'live', 'reconnecting')
            RETURNING *
        ), retired AS (
            UPDATE stream_keys SET superseded_at = now() WHERE id IN (
                SELECT k.id FROM stream_keys k JOIN mine ON mine.id = k.session_id
                WHERE k.first_published_at IS NULL
                    AND k.revoked_at IS NULL AND k.superseded_at IS NULL
                ORDER BY k.id DESC OFFSET $8) RETURNING id
        ), {_WITH_KEY}
        """,  # noqa: S608
        user_id,
        key.hash,
        key.hint,
        key.within,
        key.device,
        title,
        cover,
        # Besides the new one, which is not seen, and the one of the publisher.
        MOST_OF_SESSION - 2,
    )
    return None if row is None else _opened(row)


async def live_on_channel(
    connection: Connection,
    *,
    channel_id: int,
    node: str,
    publisher_type: str,
    publisher_id: str,
    key_id: int | None,
    reconnect_window: int,
    longest: timedelta,
) -> int:
    return int(
        await connection.fetchval(
            """
            INSERT INTO live_streaming_sessions (user_id, channel_id, path, node,
                status, started_at, publisher_type, publisher_id, publisher_key_id,
                reconnect_window, longest)
            SELECT user_id, id, path, $2, 'live', now(), $3, $4, $5, $6, $7
            FROM channels WHERE id = $1 RETURNING id
            """,
            channel_id,
            node,
            publisher_type,
            publisher_id,
            key_id,
            reconnect_window,
            longest,
        )
    )


async def keep(executor: Executor, session_id: int, within: timedelta) -> None:
    """One that is still without a picture is used. A tenth late at most, so that a
    phone that asks again and again writes seldom."""
    await executor.execute(
        """
        UPDATE live_streaming_sessions SET expires_at = now() + $2
        WHERE id = $1 AND status = 'created' AND expires_at < now() + $2::interval * 0.9
        """,
        session_id,
        within,
    )
