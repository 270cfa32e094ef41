"""Whether a session's followers have been told."""

from control_plane.base.database import Connection


async def made(connection: Connection, session_id: int, kind: str) -> bool:
    """Locks the session: a second call waits for the first one's commit."""
    await connection.execute(
        "SELECT FROM live_streaming_sessions WHERE id = $1 FOR UPDATE", session_id
    )
    return bool(
        await connection.fetchval(
            "SELECT EXISTS (SELECT FROM events WHERE subject = 'session'"
            " AND subject_id = $1 AND type = $2)",
            session_id,
            kind,
        )
    )


async def followers(connection: Connection, user_id: int) -> int:
    count = await connection.fetchval(
        "SELECT followers FROM user_counts WHERE user_id = $1", user_id
    )
    return int(count or 0)
