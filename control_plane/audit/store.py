"""Reading the audit log."""

import json
from dataclasses import fields

from control_plane.audit.model import Entry, Head, Sealed
from control_plane.base.database import Executor, Record

_COLUMNS = ", ".join(field.name for field in fields(Entry))
_SELECT = f"SELECT {_COLUMNS} FROM audit_log"  # noqa: S608
#: Of a subject and of an actor.
_OF = "AND ($2 = '' OR subject = $2) AND ($3 = '' OR actor = $3)"


async def newest(
    executor: Executor, before: int, subject: str, actor: str, limit: int
) -> list[Entry]:
    """Of those below a number, the newest first; empty texts: of all."""
    rows = await executor.fetch(
        f"{_SELECT} WHERE number < $1 {_OF} ORDER BY number DESC LIMIT $4",
        before,
        subject,
        actor,
        limit,
    )
    return [_entry(row) for row in rows]


async def after(
    executor: Executor, number: int, subject: str, actor: str, limit: int
) -> list[Entry]:
    """Of those above a number, the oldest first; empty texts: of all."""
    rows = await executor.fetch(
        f"{_SELECT} WHERE number > $1 {_OF} ORDER BY number LIMIT $4",
        number,
        subject,
        actor,
        limit,
    )
    return [_entry(row) for row in rows]


async def sealed_after(executor: Executor, number: int, limit: int) -> list[Sealed]:
    rows = await executor.fetch(
        "SELECT number, audit_text(a) AS text, hash FROM audit_log a"
        " WHERE number > $1 ORDER BY number LIMIT $2",
        number,
        limit,
    )
    return [Sealed(**dict(row)) for row in rows]


async def head(executor: Executor) -> Head:
    found = await executor.fetchrow("SELECT number, hash FROM audit_head")
    return Head(0, b"") if found is None else Head(**dict(found))


def _entry(row: Record) -> Entry:
    values = dict(row)
    said = {name: json.loads(values[name]) for name in ("before", "after")}
    return Entry(**{**values, **said})
