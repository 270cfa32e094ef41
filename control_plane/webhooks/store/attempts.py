"""The delivery log."""

from collections.abc import Sequence
from datetime import timedelta

from control_plane.base.database import Executor
from control_plane.webhooks.model.messages import Attempt


async def add(executor: Executor, many: Sequence[Attempt]) -> None:
    await executor.execute(
        """
        INSERT INTO webhook_attempts (endpoint_id, event_id, type, status, error,
            milliseconds, at)
        SELECT * FROM unnest($1::int[], $2::bigint[], $3::text[], $4::smallint[],
            $5::text[], $6::int[], $7::timestamptz[])
        """,
        [one.endpoint_id for one in many],
        [one.event_id for one in many],
        [one.type for one in many],
        [one.status for one in many],
        [one.error for one in many],
        [one.milliseconds for one in many],
        [one.at for one in many],
    )


async def newest(
    executor: Executor, endpoint_id: int, before: int, limit: int
) -> list[Attempt]:
    """Of those below an id."""
    rows = await executor.fetch(
        "SELECT endpoint_id, event_id, type, status, error, milliseconds, at, id"
        " FROM webhook_attempts WHERE endpoint_id = $1 AND id < $2"
        " ORDER BY id DESC LIMIT $3",
        endpoint_id,
        before,
        limit,
    )
    return [Attempt(**dict(row)) for row in rows]


async def forget(executor: Executor, older_than: timedelta, most: int) -> int:
    """How many are gone."""
    rows = await executor.fetch(
        "DELETE FROM webhook_attempts WHERE id IN (SELECT id FROM webhook_attempts"
        " WHERE at < now() - $1::interval LIMIT $2) RETURNING id",
        older_than,
        most,
    )
    return len(rows)
