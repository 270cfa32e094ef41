"""What accounts watch, where it is limited how many at once."""

from collections.abc import Collection

from control_plane.base.database import Connection, Executor
from control_plane.live.model.rights import Viewing

STARTING = 15  # seconds from a token to what nodes list


async def begin(executor: Executor, user_id: int, session_id: int, viewer: str) -> None:
    """One that is there goes on, unless it was cut: then it is the newest."""
    await executor.execute(
        """
        INSERT INTO viewings AS known (user_id, session_id, viewer) VALUES ($1, $2, $3)
        ON CONFLICT (session_id, viewer) DO UPDATE
        SET since = clock_timestamp(), cut_at = NULL WHERE known.cut_at IS NOT NULL
        """,
        user_id,
        session_id,
        viewer,
    )


async def forget_over(executor: Executor, user_id: int) -> None:
    await executor.execute(
        "DELETE FROM viewings v USING live_streaming_sessions s WHERE v.user_id = $1"
        " AND s.id = v.session_id AND s.status IN ('ended', 'expired')",
        user_id,
    )


async def of_user(executor: Executor, user_id: int) -> list[Viewing]:
    """Newest first."""
    rows = await executor.fetch(
        """
        SELECT v.session_id, s.node, v.viewer, v.cut_at IS NOT NULL AS cut,
            v.since > now() - make_interval(secs => $2) AS starting,
            coalesce(v.cut_at > now() - interval '1 minute', false) AS cut_lately
        FROM viewings v JOIN live_streaming_sessions s ON s.id = v.session_id
        WHERE v.user_id = $1 AND s.status IN ('created', 'live', 'reconnecting')
        ORDER BY v.since DESC
        """,
        user_id,
        float(STARTING),
    )
    return [Viewing(**dict(row)) for row in rows]


async def with_more(
    executor: Executor, user_ids: Collection[int], than: int
) -> list[int]:
    """Those of them who have more, playing or not."""
    rows = await executor.fetch(
        "SELECT user_id FROM viewings WHERE user_id = ANY($1) AND cut_at IS NULL"
        " GROUP BY user_id HAVING count(*) > $2",
        list(user_ids),
        than,
    )
    return [row["user_id"] for row in rows]


async def cut(executor: Executor, session_id: int, viewer: str) -> None:
    await executor.execute(
        "UPDATE viewings SET cut_at = now() WHERE session_id = $1 AND viewer = $2",
        session_id,
        viewer,
    )


async def forget(connection: Connection, user_id: int, session_id: int) -> None:
    """Its players there, and what was taken back of each: of all tokens of an account
    that were taken back each is one."""
    await connection.execute(
        """
        WITH gone AS (DELETE FROM viewings WHERE user_id = $1 AND session_id = $2
            RETURNING viewer)
        DELETE FROM viewer_denials d USING gone
        WHERE d.session_id = $2 AND d.viewer = gone.viewer AND d.epoch IS NOT NULL
        """,
        user_id,
        session_id,
    )
