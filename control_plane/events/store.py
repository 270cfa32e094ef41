"""Reading the log."""

import json
from collections.abc import Sequence

from control_plane.base.database import Executor, Record
from control_plane.events.model import Event, EventType, Position, Subject

_COLUMNS = (
    "era, xid::text::bigint AS xid, id, subject, subject_id, seq, type, version,"
    " data, created_at"
)
_SELECT = f"SELECT {_COLUMNS} FROM events"  # noqa: S608
_ERA = "(SELECT max(era) FROM event_eras)"
#: Whatever runs now, or begins later, has a number that is not below the snapshot's.
_COMPLETE = f"(xid < pg_snapshot_xmin(pg_current_snapshot()) OR era < {_ERA})"
_AFTER = f"(era, xid, id) > ($1, $2::text::xid8, $3) AND {_COMPLETE}"


async def after(executor: Executor, position: Position, limit: int) -> list[Event]:
    """In the log's order, whatever is complete."""
    rows = await executor.fetch(
        f"{_SELECT} WHERE {_AFTER} ORDER BY era, xid, id LIMIT $4",
        position.era,
        str(position.xid),
        position.id,
        limit,
    )
    return [_event(row) for row in rows]


async def newest(executor: Executor, limit: int) -> list[Event]:
    """In the log's order too."""
    rows = await executor.fetch(
        f"{_SELECT} WHERE {_COMPLETE} ORDER BY era DESC, xid DESC, id DESC LIMIT $1",
        limit,
    )
    return [_event(row) for row in reversed(rows)]


async def of_subject_after(
    executor: Executor,
    position: Position,
    limit: int,
    subject: Subject,
    subject_id: int,
) -> list[Event]:
    """The same of one subject alone."""
    rows = await executor.fetch(
        f"{_SELECT} WHERE {_AFTER} AND subject = $5 AND subject_id = $6"
        " ORDER BY seq LIMIT $4",
        position.era,
        str(position.xid),
        position.id,
        limit,
        subject,
        subject_id,
    )
    return [_event(row) for row in rows]


async def end(executor: Executor) -> Position:
    """Behind it is all that is complete now; before it all that comes."""
    row = await executor.fetchrow(
        f"SELECT {_ERA} AS era,"
        " pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xid"
    )
    return Position(row["era"], row["xid"], 0) if row else Position(0, 0, 0)


async def of_subject(
    executor: Executor, subject: Subject, subject_id: int, seq: int, limit: int | None
) -> list[Event]:
    """After that number, in the order in which they happened; all without a limit."""
    rows = await executor.fetch(
        f"{_SELECT} WHERE subject = $1 AND subject_id = $2 AND seq > $3"
        " ORDER BY seq LIMIT $4",
        subject,
        subject_id,
        seq,
        limit,
    )
    return [_event(row) for row in rows]


async def with_ids(executor: Executor, ids: Sequence[int]) -> list[Event]:
    """Those that are still kept, in the log's order."""
    rows = await executor.fetch(
        f"{_SELECT} WHERE id = ANY($1) ORDER BY era, xid, id",
        list(ids),
    )
    return [_event(row) for row in rows]


async def happened(executor: Executor, session_id: int, kind: EventType) -> bool:
    return bool(
        await executor.fetchval(
            "SELECT EXISTS (SELECT FROM events WHERE subject = 'session'"
            " AND subject_id = $1 AND type = $2)",
            session_id,
            kind,
        )
    )


async def make_partitions(executor: Executor, ahead: int) -> list[str]:
    """Those made: of this month and so many that follow."""
    rows = await executor.fetch("SELECT * FROM make_event_partitions($1)", ahead)
    return [row[0] for row in rows]


async def drop_old(executor: Executor, months: int) -> list[str]:
    """Partitions that ended so many whole months ago."""
    rows = await executor.fetch("SELECT * FROM drop_old_events($1)", months)
    return [row[0] for row in rows]


def _event(row: Record) -> Event:
    return Event(
        Position(row["era"], row["xid"], row["id"]),
        row["subject"],
        row["subject_id"],
        row["seq"],
        row["type"],
        row["version"],
        json.loads(row["data"]),
        row["created_at"],
    )
