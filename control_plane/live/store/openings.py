"""Opening a session, and opening it once more."""

from datetime import timedelta

from control_plane.base.database import Connection, Executor


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
    first_publish_within: timedelta,
) -> int:
    """Open a session on a path of its own. Raises Taken when the user
    has one open already."""
    return int(
        await connection.fetchval(
            """
            WITH next AS (
                SELECT nextval(pg_get_serial_sequence(
                    'live_streaming_sessions', 'id'))::integer AS id
            )
            INSERT INTO live_streaming_sessions (id, user_id, path, node, status,
                title, cover, client_started_at, reconnect_window, longest, expires_at)
            SELECT id, $1, 'live/' || id, $2, 'created', $3, $4, $5, $6, $7,
                now() + $8
            FROM next RETURNING id
            """,
            user_id,
            node,
            title,
            cover,
            client_started_at,
            reconnect_window,
            longest,
            first_publish_within,
        )
    )


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


async def again(
    executor: Executor, session_id: int, title: str, cover: str, expires_in: timedelta
) -> None:
    """A second start: later first publish, and a new title or cover if given."""
    await executor.execute(
        """
        UPDATE live_streaming_sessions SET
            title = CASE WHEN $2 = '' THEN title ELSE $2 END,
            cover = CASE WHEN $3 = '' THEN cover ELSE $3 END,
            expires_at = CASE WHEN status = 'created'
                THEN greatest(expires_at, now() + $4) ELSE expires_at END
        WHERE id = $1
        """,
        session_id,
        title,
        cover,
        expires_in,
    )
