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
) -> Report:
    """Raises ForeignKeyViolationError for a reason that does not exist."""
    row = await connection.fetchrow(
        f"""
        INSERT INTO reports (user_id, report_user_id, report_reason_id, description)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (user_id, report_user_id, report_reason_id)
            DO UPDATE SET description = excluded.description
        RETURNING {_REPORT}
        """,  # noqa: S608
        user_id,
        about,
        reason_id,
        description,
    )
    if row is None:
        raise LookupError(user_id)
    return Report(**dict(row))
