"""Complaints about users."""

from dataclasses import fields

from control_plane.base.database import Connection, Executor
from control_plane.people.model.social import Report, ReportReason

_REASON = ", ".join(field.name for field in fields(ReportReason))
_REPORT = ", ".join(field.name for field in fields(Report))


async def reasons(executor: Executor) -> list[ReportReason]:
    rows = await executor.fetch(f"SELECT {_REASON} FROM report_reasons ORDER BY id")  # noqa: S608
    return [ReportReason(**dict(row)) for row in rows]


async def add(
    connection: Connection, user_id: int, about: int, reason_id: int, description: str
) -> Report | None:
    """None when it is there already. Raises Missing for a reason that is not."""
    row = await connection.fetchrow(
        "INSERT INTO reports (user_id, report_user_id, report_reason_id, description)"  # noqa: S608
        f" VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING {_REPORT}",
        user_id,
        about,
        reason_id,
        description,
    )
    return None if row is None else Report(**dict(row))


async def reword(
    connection: Connection, user_id: int, about: int, reason_id: int, description: str
) -> Report:
    """The one that is there."""
    row = await connection.fetchrow(
        "UPDATE reports SET description = $4 WHERE user_id = $1"  # noqa: S608
        " AND report_user_id = $2 AND report_reason_id = $3"
        f" RETURNING {_REPORT}",
        user_id,
        about,
        reason_id,
        description,
    )
    if row is None:
        raise LookupError(user_id)
    return Report(**dict(row))
