"""Events: numbered facts, written in the transaction that caused them."""

import json
from collections.abc import Mapping, Sequence

from control_plane.base.database import Connection, Executor
from control_plane.events.model import Event, EventType, Subject

#: Whom it concerns, and what there is to say.
Happened = tuple[int, Mapping[str, object]]

_APPEND = """
    WITH happened AS (
        SELECT subject_id, data,
            row_number() OVER (PARTITION BY subject_id ORDER BY position) AS nth
        FROM unnest($3::int[], $4::jsonb[])
            WITH ORDINALITY AS h (subject_id, data, position)
    ), subject AS (
        UPDATE {table} s SET seq = s.seq + n.added
        FROM (SELECT subject_id, count(*) AS added FROM happened GROUP BY 1) n
        WHERE s.id = n.subject_id RETURNING s.id, s.seq - n.added AS before
    )
    INSERT INTO events (subject, subject_id, seq, type, data)
    SELECT $1, id, before + nth, $2, data FROM happened JOIN subject ON id = subject_id
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


async def append_session_events(
    connection: Connection, kind: EventType, many: Sequence[Happened]
) -> None:
    """Many at once, of several sessions: each takes its block of numbers."""
    await _append(connection, "session", "live_streaming_sessions", kind, many)


async def append_user_events(
    connection: Connection, kind: EventType, many: Sequence[Happened]
) -> None:
    await _append(connection, "user", "users", kind, many)


async def _append(
    connection: Connection,
    subject: Subject,
    table: str,
    kind: EventType,
    many: Sequence[Happened],
) -> None:
    await connection.execute(
        _APPEND.format(table=table),
        subject,
        kind,
        [one for one, _ in many],
        [json.dumps(data) for _, data in many],
    )


async def happened(executor: Executor, session_id: int, kind: EventType) -> bool:
    return bool(
        await executor.fetchval(
            "SELECT EXISTS (SELECT FROM events WHERE subject = 'session'"
            " AND subject_id = $1 AND type = $2)",
            session_id,
            kind,
        )
    )


async def of_session(executor: Executor, session_id: int) -> list[Event]:
    """In the order in which they happened."""
    rows = await executor.fetch(
        "SELECT seq, type, data, created_at FROM events"
        " WHERE subject = 'session' AND subject_id = $1 ORDER BY seq",
        session_id,
    )
    return [
        Event(row["seq"], row["type"], json.loads(row["data"]), row["created_at"])
        for row in rows
    ]
