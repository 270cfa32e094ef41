"""Appending events, in the transaction that causes them."""

from collections.abc import Mapping, Sequence

from control_plane.base.database import Connection
from control_plane.events.model import EventType, Subject
from control_plane.events.types import KINDS, encoded

#: Whom it concerns, and what there is to say.
Happened = tuple[int, Mapping[str, object]]

#: Where each subject's row, whose lock orders its events, stands.
TABLES: Mapping[Subject, str] = {
    "session": "live_streaming_sessions",
    "user": "users",
    "node": "nodes",
    "ban": "bans",
}

_APPEND = """
    WITH happened AS (
        SELECT subject_id, data,
            row_number() OVER (PARTITION BY subject_id ORDER BY position) AS nth
        FROM unnest($4::int[], $5::jsonb[])
            WITH ORDINALITY AS h (subject_id, data, position)
    ), subject AS (
        UPDATE {table} s SET seq = s.seq + n.added,
            event_xid = greatest(s.event_xid, pg_current_xact_id())
        FROM (SELECT subject_id, count(*) AS added FROM happened GROUP BY 1) n
        WHERE s.id = n.subject_id
        RETURNING s.id, s.event_xid, s.seq - n.added AS before
    )
    INSERT INTO events (xid, subject, subject_id, seq, type, version, data)
    SELECT event_xid, $1, id, before + nth, $2, $3, data
    FROM happened JOIN subject ON id = subject_id ORDER BY id, nth
"""


async def append_session_event(
    connection: Connection, session_id: int, kind: EventType, data: Mapping[str, object]
) -> None:
    """The lock of the session's row makes numbers gapless, in commit order."""
    await append_session_events(connection, kind, [(session_id, data)])


async def append_user_event(
    connection: Connection, user_id: int, kind: EventType, data: Mapping[str, object]
) -> None:
    await append_user_events(connection, kind, [(user_id, data)])


async def append_node_event(
    connection: Connection, node_id: int, kind: EventType, data: Mapping[str, object]
) -> None:
    await _append(connection, "node", kind, [(node_id, data)])


async def append_ban_event(
    connection: Connection, ban_id: int, kind: EventType, data: Mapping[str, object]
) -> None:
    await _append(connection, "ban", kind, [(ban_id, data)])


async def append_session_events(
    connection: Connection, kind: EventType, many: Sequence[Happened]
) -> None:
    """Many at once, of several sessions: each takes its block of numbers."""
    await _append(connection, "session", kind, many)


async def append_user_events(
    connection: Connection, kind: EventType, many: Sequence[Happened]
) -> None:
    await _append(connection, "user", kind, many)


async def _append(
    connection: Connection,
    subject: Subject,
    kind: EventType,
    many: Sequence[Happened],
) -> None:
    if not many:
        return
    await connection.execute(
        _APPEND.format(table=TABLES[subject]),
        subject,
        kind,
        KINDS[kind].version,
        [one for one, _ in many],
        [encoded(kind, data) for _, data in many],
    )
