"""Who may watch which session, and who may not any more."""

from control_plane.base.database import Connection, Executor
from control_plane.live.model.previews import Subject
from control_plane.live.model.rights import Policy


async def set_policy(connection: Connection, session_id: int, policy: Policy) -> bool:
    """Everybody has to ask for a token again. False when it was so already."""
    changed = await connection.fetchval(
        """
        UPDATE live_streaming_sessions
        SET policy = $2, token_epoch = nextval('token_epochs')
        WHERE id = $1 AND policy <> $2 RETURNING true
        """,
        session_id,
        policy,
    )
    return changed is True


async def take_back_tokens(connection: Connection, session_id: int) -> None:
    """All that were given out for this session."""
    await connection.execute(
        "UPDATE live_streaming_sessions SET token_epoch = nextval('token_epochs')"
        " WHERE id = $1",
        session_id,
    )


async def deny(
    connection: Connection, session_id: int, user_id: int | None, viewer: str | None
) -> bool:
    """One of the two. False when it was denied already."""
    denied = await connection.fetchval(
        """
        INSERT INTO viewer_denials (session_id, user_id, viewer) VALUES ($1, $2, $3)
        ON CONFLICT DO NOTHING RETURNING true
        """,
        session_id,
        user_id,
        viewer,
    )
    return denied is True


async def standing(
    executor: Executor, session_id: int, host_id: int, user_id: int, viewer: str
) -> tuple[bool, bool]:
    """Whether they were denied, and whether they follow the host."""
    row = await executor.fetchrow(
        """
        SELECT EXISTS (SELECT FROM viewer_denials WHERE session_id = $1
                AND (user_id = $3 OR viewer = $4)) AS denied,
            EXISTS (SELECT FROM follows
                WHERE follower_id = $3 AND followed_id = $2) AS follows
        """,
        session_id,
        host_id,
        user_id,
        viewer,
    )
    return (False, False) if row is None else (row["denied"], row["follows"])


async def subject(executor: Executor, session_id: int) -> Subject | None:
    row = await executor.fetchrow(
        """
        SELECT s.path, s.policy, s.token_epoch, s.end_reason,
            u.banned_at IS NOT NULL OR u.deleted_at IS NOT NULL AS gone
        FROM live_streaming_sessions s JOIN users u ON u.id = s.user_id
        WHERE s.id = $1
        """,
        session_id,
    )
    return None if row is None else Subject(**dict(row))
