"""Live sessions. A change of status is one UPDATE that names the old status;
whoever's row count is one made it."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime, timedelta

from control_plane.base.database import Connection, Executor, Record
from control_plane.live.model.sessions import EndReason, LiveSession

_OPEN = "status IN ('created', 'live', 'reconnecting')"
_COLUMNS = ", ".join(
    "u.username" if field.name == "username" else f"s.{field.name}"
    for field in fields(LiveSession)
)
SELECT = (
    f"SELECT {_COLUMNS} FROM live_streaming_sessions s JOIN users u ON u.id = s.user_id"  # noqa: S608
)


def _session(row: Record) -> LiveSession:
    return LiveSession(*row)


def _maybe(row: Record | None) -> LiveSession | None:
    return None if row is None else _session(row)


async def get(executor: Executor, session_id: int) -> LiveSession | None:
    return _maybe(await executor.fetchrow(f"{SELECT} WHERE s.id = $1", session_id))


async def lock(
    connection: Connection, session_ids: Iterable[int]
) -> dict[int, LiveSession]:
    """Until the transaction ends none of them ends."""
    rows = await connection.fetch(
        f"{SELECT} WHERE s.id = ANY($1) ORDER BY s.id FOR NO KEY UPDATE OF s",
        list(session_ids),
    )
    return {row["id"]: _session(row) for row in rows}


async def get_locked(connection: Connection, session_id: int) -> LiveSession | None:
    """What follows in this transaction decides about it."""
    return _maybe(
        await connection.fetchrow(
            f"{SELECT} WHERE s.id = $1 FOR NO KEY UPDATE OF s", session_id
        )
    )


async def newest_at_path(executor: Executor, path: str) -> LiveSession | None:
    return _maybe(
        await executor.fetchrow(
            f"{SELECT} WHERE s.path = $1 ORDER BY s.id DESC LIMIT 1", path
        )
    )


async def open_of_user(executor: Executor, user_id: int) -> LiveSession | None:
    return _maybe(
        await executor.fetchrow(f"{SELECT} WHERE s.user_id = $1 AND s.{_OPEN}", user_id)
    )


async def lock_path(connection: Connection, path: str) -> None:
    """Whoever may open a session there does it alone, until its transaction ends."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 13))", path
    )


async def open_at_path(connection: Connection, path: str) -> LiveSession | None:
    """Locked, as with ``get_locked``."""
    return _maybe(
        await connection.fetchrow(
            f"{SELECT} WHERE s.path = $1 AND s.{_OPEN} FOR NO KEY UPDATE OF s", path
        )
    )


async def open_on_node(executor: Executor, node: str) -> list[LiveSession]:
    rows = await executor.fetch(f"{SELECT} WHERE s.node = $1 AND s.{_OPEN}", node)
    return [_session(row) for row in rows]


async def read_from(executor: Executor, node: str) -> list[LiveSession]:
    """Open ones that may have viewers there: an edge serves what every origin has."""
    rows = await executor.fetch(
        f"{SELECT} WHERE s.{_OPEN} AND (s.node = $1 OR EXISTS"
        " (SELECT FROM nodes e WHERE e.name = $1 AND e.role <> 'origin'))",
        node,
    )
    return [_session(row) for row in rows]


async def open_at_paths(executor: Executor, paths: Sequence[str]) -> list[LiveSession]:
    rows = await executor.fetch(f"{SELECT} WHERE s.path = ANY($1) AND s.{_OPEN}", paths)
    return [_session(row) for row in rows]


async def live(executor: Executor, limit: int, offset: int) -> list[LiveSession]:
    """Newest first."""
    rows = await executor.fetch(
        f"{SELECT} WHERE s.status = 'live'"
        " ORDER BY s.started_at DESC, s.id DESC LIMIT $1 OFFSET $2",
        limit,
        offset,
    )
    return [_session(row) for row in rows]


async def make_live(
    connection: Connection,
    session_id: int,
    old_status: str,
    *,
    node: str,
    publisher_type: str,
    publisher_id: str,
    key_id: int | None,
) -> bool:
    changed = await connection.fetchval(
        """
        UPDATE live_streaming_sessions SET status = 'live', node = $3,
            publisher_type = $4, publisher_id = $5, publisher_key_id = $6,
            started_at = coalesce(started_at, now()), reconnect_until = NULL
        WHERE id = $1 AND status = $2 RETURNING id
        """,
        session_id,
        old_status,
        node,
        publisher_type,
        publisher_id,
        key_id,
    )
    return changed is not None


async def learn_key(connection: Connection, session_id: int, key_id: int) -> None:
    """Which key its publisher came with; the session's row is locked."""
    await connection.execute(
        "UPDATE live_streaming_sessions SET publisher_key_id = $2 WHERE id = $1",
        session_id,
        key_id,
    )


async def move(
    connection: Connection, session_id: int, node: str
) -> LiveSession | None:
    """Its host is sent there, and has the whole time to come back. None when it has a
    picture, which stays where it is until the next one comes, or is over."""
    moved = await connection.fetchval(
        """
        UPDATE live_streaming_sessions SET node = $2,
            reconnect_until = CASE WHEN status = 'reconnecting'
                THEN now() + make_interval(secs => reconnect_window) END
        WHERE id = $1 AND status IN ('created', 'reconnecting') RETURNING id
        """,
        session_id,
        node,
    )
    return None if moved is None else await get(connection, session_id)


async def make_reconnecting(
    connection: Connection, node: str, path: str, publisher_id: str
) -> LiveSession | None:
    """Fenced: only the current publisher's end counts."""
    session_id = await connection.fetchval(
        """
        UPDATE live_streaming_sessions SET status = 'reconnecting',
            reconnect_until = now() + make_interval(secs => reconnect_window),
            publisher_type = NULL, publisher_id = NULL, publisher_key_id = NULL
        WHERE node = $1 AND path = $2 AND status = 'live' AND publisher_id = $3
        RETURNING id
        """,
        node,
        path,
        publisher_id,
    )
    return None if session_id is None else await get(connection, session_id)


async def make_ended(
    connection: Connection, seen: LiveSession, reason: EndReason
) -> bool:
    """Only while its status and its deadlines are still the ones that were seen."""
    changed = await connection.fetchval(
        """
        UPDATE live_streaming_sessions SET
            status = CASE WHEN $3 = 'expired' THEN 'expired' ELSE 'ended' END,
            end_reason = $3, ended_at = now(), reconnect_until = NULL,
            publisher_type = NULL, publisher_id = NULL, publisher_key_id = NULL
        WHERE id = $1 AND status = $2
            AND reconnect_until IS NOT DISTINCT FROM $4
            AND expires_at IS NOT DISTINCT FROM $5
        RETURNING id
        """,
        seen.id,
        seen.status,
        reason,
        seen.reconnect_until,
        seen.expires_at,
    )
    return changed is not None


async def leave_path(connection: Connection, session_id: int) -> None:
    """To its channel, one that is over: the channel may have another name by now, and
    the old one is somebody else's. In a statement of its own, which sees that."""
    await connection.execute(
        "UPDATE live_streaming_sessions s SET path = c.path FROM channels c"
        " WHERE s.id = $1 AND c.id = s.channel_id AND s.path <> c.path",
        session_id,
    )


async def past_reconnect_deadline(
    executor: Executor, node: str, at: datetime, grace: timedelta
) -> list[LiveSession]:
    """Those whose deadline had passed at ``at``, by Postgres's clock, and whose encoder
    was not let in again within the grace: no list may name it yet."""
    rows = await executor.fetch(
        f"{SELECT} WHERE s.node = $1 AND s.status = 'reconnecting'"
        " AND s.reconnect_until <= $2 AND NOT EXISTS (SELECT FROM publish_grants g"
        " WHERE g.path = s.path AND g.ended_at IS NULL"
        " AND g.granted_at > $2::timestamptz - $3::interval)",
        node,
        at,
        grace,
    )
    return [_session(row) for row in rows]


async def never_published(
    executor: Executor, node: str, at: datetime, grace: timedelta, used: timedelta
) -> list[LiveSession]:
    """Created ones that no key can start any more, and whose last event (a gift,
    perhaps) is older than ``used``. The grace covers an encoder let in at the last
    moment, whose tracks the node still looks at."""
    rows = await executor.fetch(
        f"{SELECT} WHERE s.node = $1 AND s.status = 'created'"
        " AND s.expires_at + $3 <= $2 AND NOT EXISTS (SELECT FROM events e"
        " WHERE e.subject = 'session' AND e.subject_id = s.id AND e.seq = s.seq"
        " AND e.created_at + $4 > $2)",
        node,
        at,
        grace,
        used,
    )
    return [_session(row) for row in rows]


async def too_long(executor: Executor, node: str, at: datetime) -> list[LiveSession]:
    rows = await executor.fetch(
        f"{SELECT} WHERE s.node = $1 AND s.status IN ('live', 'reconnecting')"
        " AND s.started_at + s.longest <= $2",
        node,
        at,
    )
    return [_session(row) for row in rows]


_HEARTBEAT_DUE = "coalesce(heartbeat_at, started_at) + $1 <= now()"


async def due_for_heartbeat(executor: Executor, every: timedelta) -> list[LiveSession]:
    rows = await executor.fetch(
        f"{SELECT} WHERE s.status = 'live' AND {_HEARTBEAT_DUE}", every
    )
    return [_session(row) for row in rows]


async def beat(
    connection: Connection, session_ids: Sequence[int], every: timedelta
) -> list[int]:
    """Those of them that are still live and that no other process was first at. Locks
    in the order of ``lock``."""
    rows = await connection.fetch(
        f"""
        WITH due AS MATERIALIZED (
            SELECT id FROM live_streaming_sessions s
            WHERE id = ANY($2) AND status = 'live' AND {_HEARTBEAT_DUE}
            ORDER BY id FOR NO KEY UPDATE
        )
        UPDATE live_streaming_sessions s SET heartbeat_at = now()
        FROM due WHERE s.id = due.id RETURNING s.id
        """,  # noqa: S608
        every,
        list(session_ids),
    )
    return [row["id"] for row in rows]


async def raise_peaks(executor: Executor, counts: Sequence[tuple[int, int]]) -> None:
    """Pairs of session id and viewers. Locks in the order of ``lock``."""
    await executor.execute(
        """
        WITH locked AS MATERIALIZED (
            SELECT id FROM live_streaming_sessions WHERE id = ANY($1)
                AND status IN ('live', 'reconnecting')
            ORDER BY id FOR NO KEY UPDATE
        )
        UPDATE live_streaming_sessions s SET peak_viewers = c.viewers
        FROM unnest($1::integer[], $2::integer[]) AS c(id, viewers)
        JOIN locked USING (id)
        WHERE s.id = c.id AND s.peak_viewers < c.viewers
        """,
        [session_id for session_id, _ in counts],
        [viewers for _, viewers in counts],
    )


async def clock(executor: Executor) -> datetime:
    """Postgres's own: deadlines are compared with nothing else."""
    now: datetime = await executor.fetchval("SELECT clock_timestamp()")
    return now


async def forget(connection: Connection, user_id: int) -> None:
    await connection.execute(
        "UPDATE live_streaming_sessions SET title = '', cover = '' WHERE user_id = $1",
        user_id,
    )
