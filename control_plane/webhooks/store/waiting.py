"""Subjects whose events wait, and events that were given up."""

from collections.abc import Sequence
from datetime import datetime

from control_plane.base.database import Connection, Executor
from control_plane.events.model import Subject
from control_plane.webhooks.model.endpoints import Endpoint
from control_plane.webhooks.model.messages import DeadLetter, Parked

_WAIT = "extract(epoch FROM next_at - clock_timestamp())::float AS wait"
_PARKED = f"subject, subject_id, seq, attempts, failed_since, {_WAIT}, parked_at"
#: Whoever switches it comes before this or after it.
_OURS = (
    "WITH ours AS (SELECT id FROM webhook_endpoints"
    " WHERE id = $1 AND owner = $2 AND switched = $3 FOR SHARE)"
)


async def parked(executor: Executor, endpoint_id: int) -> list[Parked]:
    rows = await executor.fetch(
        f"SELECT {_PARKED} FROM webhook_parked WHERE endpoint_id = $1",  # noqa: S608
        endpoint_id,
    )
    return [Parked(**dict(row)) for row in rows]


async def park(
    executor: Executor,
    endpoint: Endpoint,
    owner: str,
    subject: Subject,
    subject_id: int,
    seq: int,
    attempts: int,
    wait: float,
    *,
    away: bool = False,
) -> Parked | None:
    """From its first failure on, or once more for the same event. Its hours do not
    count in which the receiver was ``away``, or it was later than it was to be tried:
    it waited behind others then, or nobody sent; nor those before its first attempt.
    None when the endpoint is another's now, or was switched: what waits may be left out
    since."""
    row = await executor.fetchrow(
        "INSERT INTO webhook_parked AS p (endpoint_id, subject, subject_id, seq,"  # noqa: S608
        " attempts, failed_since, next_at, parked_at) SELECT id, $2, $3, $4, $5,"
        " clock_timestamp(), clock_timestamp() + make_interval(secs => $6),"
        " clock_timestamp() FROM webhook_endpoints"
        # Whoever switches it comes before this or after it.
        " WHERE id = $1 AND owner = $8 AND switched = $9 FOR SHARE"
        " ON CONFLICT (endpoint_id, subject, subject_id)"
        " DO UPDATE SET seq = $4, attempts = $5, next_at = excluded.next_at,"
        " parked_at = excluded.parked_at,"
        " failed_since = CASE WHEN p.seq <> $4 OR p.attempts = 0"
        " THEN excluded.failed_since"
        " WHEN $7 THEN p.failed_since + (excluded.parked_at - p.parked_at)"
        " ELSE p.failed_since + greatest(excluded.parked_at - p.next_at, '0') END"
        f" RETURNING {_PARKED}",
        endpoint.id,
        subject,
        subject_id,
        seq,
        attempts,
        wait,
        away,
        owner,
        endpoint.switched,
    )
    return None if row is None else Parked(**dict(row))


async def advance(
    executor: Executor, endpoint: Endpoint, owner: str, many: Sequence[Parked]
) -> None:
    """Saves how far their subjects are, which is at what has not failed yet; as for
    ``unpark``."""
    await executor.execute(
        f"{_OURS} UPDATE webhook_parked AS p SET seq = a.seq, attempts = 0"  # noqa: S608
        " FROM ours, unnest($4::text[], $5::int[], $6::bigint[], $7::timestamptz[])"
        " AS a (subject, subject_id, seq, parked_at)"
        " WHERE p.endpoint_id = ours.id AND p.subject = a.subject"
        " AND p.subject_id = a.subject_id AND p.parked_at = a.parked_at"
        " AND p.seq < a.seq",
        endpoint.id,
        owner,
        endpoint.switched,
        [one.subject for one in many],
        [one.subject_id for one in many],
        [one.seq for one in many],
        [one.parked_at for one in many],
    )


async def unpark(
    executor: Executor,
    endpoint: Endpoint,
    owner: str,
    subject: Subject,
    subject_id: int,
    parked_at: datetime,
) -> None:
    """Unless it was parked anew meanwhile, or the endpoint is another's or was
    switched: what waits is then for another to say."""
    await executor.execute(
        f"{_OURS} DELETE FROM webhook_parked AS p USING ours"  # noqa: S608
        " WHERE p.endpoint_id = ours.id AND p.subject = $4"
        " AND p.subject_id = $5 AND p.parked_at = $6",
        endpoint.id,
        owner,
        endpoint.switched,
        subject,
        subject_id,
        parked_at,
    )


async def leave_out(executor: Executor, endpoint_id: int) -> None:
    """All that waits for it."""
    await executor.execute(
        "DELETE FROM webhook_parked WHERE endpoint_id = $1", endpoint_id
    )


async def bury(
    connection: Connection, endpoint_id: int, event_id: int, error: str
) -> None:
    await connection.execute(
        "INSERT INTO webhook_dead_letters (endpoint_id, event_id, error)"
        " VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        endpoint_id,
        event_id,
        error,
    )


async def dead_letters(executor: Executor, endpoint_id: int) -> list[DeadLetter]:
    """The oldest event first."""
    rows = await executor.fetch(
        "SELECT event_id, error, died_at FROM webhook_dead_letters"
        " WHERE endpoint_id = $1 ORDER BY event_id",
        endpoint_id,
    )
    return [DeadLetter(**dict(row)) for row in rows]


async def revive(executor: Executor, endpoint_id: int, event_id: int) -> None:
    await executor.execute(
        "DELETE FROM webhook_dead_letters WHERE endpoint_id = $1 AND event_id = $2",
        endpoint_id,
        event_id,
    )


async def forget(
    connection: Connection, endpoint_id: int, event_ids: Sequence[int] | None
) -> int:
    """Dead letters; None: all. How many there were."""
    found = await connection.fetch(
        "DELETE FROM webhook_dead_letters WHERE endpoint_id = $1"
        " AND ($2::bigint[] IS NULL OR event_id = ANY($2)) RETURNING 1",
        endpoint_id,
        event_ids,
    )
    return len(found)
