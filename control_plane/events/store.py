"""Reading the log."""

import json
from collections.abc import Sequence
from datetime import date

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
#: Said to Postgres as a number, so that its plan for all limits walks along the index
#: instead of sorting the log.
MOST = 1000  # events at once
#: By the columns, not by what is made of them above, or no index helps.
_PAGE = f"ORDER BY events.xid, events.id LIMIT {MOST}"


async def after(executor: Executor, position: Position, limit: int) -> list[Event]:
    """In the log's order, whatever is complete."""
    rows = await executor.fetch(
        # An era, and the one that follows it: compared like the rest, which is nearly
        # always the same, it would make Postgres expect no rows at all.
        f"SELECT * FROM (({_SELECT} WHERE era = $1"  # noqa: S608
        f" AND (xid, id) > ($2::text::xid8, $3) AND {_COMPLETE} {_PAGE})"
        f" UNION ALL ({_SELECT} WHERE era = (SELECT era FROM events WHERE era > $1"
        f" ORDER BY era LIMIT 1) AND {_COMPLETE} {_PAGE}))"
        " AS page ORDER BY era, xid, id LIMIT $4",
        position.era,
        str(position.xid),
        position.id,
        limit,
    )
    return [_event(row) for row in rows]


async def newest(executor: Executor, limit: int) -> list[Event]:
    """In the log's order too."""
    rows = await executor.fetch(
        f"SELECT * FROM ({_SELECT} WHERE {_COMPLETE}"  # noqa: S608
        f" ORDER BY events.era DESC, events.xid DESC, id DESC LIMIT {MOST}) AS page"
        " ORDER BY era DESC, xid DESC, id DESC LIMIT $1",
        limit,
    )
    return [_event(row) for row in reversed(rows)]


async def of_subject_after(
    executor: Executor, position: Position, subject: Subject, subject_id: int
) -> list[Event]:
    """The same of one subject alone, ``MOST`` at once."""
    rows = await executor.fetch(
        # Its own order is the log's. A cursor is mostly that of an event of its own.
        f"{_SELECT} WHERE subject = $4 AND subject_id = $5 AND {_COMPLETE}"  # noqa: S608
        " AND seq > coalesce((SELECT seq FROM events WHERE era = $1 AND id = $3"
        " AND xid = $2::text::xid8 AND subject = $4 AND subject_id = $5), 0)"
        " AND (era + 0, xid, id) > ($1::smallint + 0, $2::text::xid8, $3)"
        f" ORDER BY seq LIMIT {MOST}",
        position.era,
        str(position.xid),
        position.id,
        subject,
        subject_id,
    )
    return [_event(row) for row in rows]


async def of_month_after(
    executor: Executor, position: Position, month: date
) -> list[Event]:
    """The same of one month alone, by its first day; ``MOST`` at once."""
    rows = await executor.fetch(
        # The pool's connections count in UTC.
        f"{_SELECT} WHERE created_at >= $4::date::timestamptz"
        " AND created_at < ($4::date + interval '1 month')::timestamptz"
        f" AND (era, xid, id) > ($1, $2::text::xid8, $3) AND {_COMPLETE}"
        f" ORDER BY events.era, events.xid, events.id LIMIT {MOST}",
        position.era,
        str(position.xid),
        position.id,
        month,
    )
    return [_event(row) for row in rows]


async def end(executor: Executor) -> Position:
    """Behind it is all that is complete now; before it all that comes."""
    row = await executor.fetchrow(
        f"SELECT {_ERA} AS era,"
        " pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xid"
    )
    return Position(row["era"], row["xid"], 0) if row else Position(0, 0, 0)


async def held_back(executor: Executor) -> float:
    """Seconds since the oldest event that nobody can read yet was written; 0: none."""
    return float(
        await executor.fetchval(
            "SELECT coalesce(extract(epoch FROM"  # noqa: S608
            " clock_timestamp() - min(created_at)), 0)::float FROM events"
            f" WHERE era = {_ERA} AND xid >= pg_snapshot_xmin(pg_current_snapshot())"
        )
    )


async def of_subject(
    executor: Executor,
    subject: Subject,
    subject_id: int,
    seq: int,
    *,
    newest: int | None = None,
    limit: int = MOST,
) -> list[Event]:
    """After that number, in the order in which they happened; ``limit`` at once, and of
    the ``newest`` alone if that is given."""
    rows = await executor.fetch(
        f"""
        {_SELECT} WHERE subject = $1 AND subject_id = $2 AND seq > greatest($3, (
            SELECT max(seq) FROM events WHERE subject = $1 AND subject_id = $2) - $4)
        ORDER BY seq LIMIT $5
        """,  # noqa: S608
        subject,
        subject_id,
        seq,
        newest,
        limit,
    )
    return [_event(row) for row in rows]


async def last_of_subject(executor: Executor, subject: Subject, subject_id: int) -> int:
    """The number of the newest; 0: there is none."""
    return int(
        await executor.fetchval(
            "SELECT coalesce(max(seq), 0) FROM events"
            " WHERE subject = $1 AND subject_id = $2",
            subject,
            subject_id,
        )
    )


async def with_ids(executor: Executor, ids: Sequence[int]) -> list[Event]:
    """Those that are still kept, in the log's order."""
    rows = await executor.fetch(
        f"{_SELECT} WHERE id = ANY($1) ORDER BY events.era, events.xid, id",
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
