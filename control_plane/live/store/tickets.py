"""Tickets. Whoever writes one but for that it was watched holds the lock of its buyer's
wallet."""

from collections.abc import Sequence
from datetime import timedelta

from control_plane.base.database import Connection, Executor, Record
from control_plane.live.model.rights import Seen
from control_plane.live.model.tickets import Ticket

_COLUMNS = (
    "id, session_id, user_id, host_id, coins, transfer_id,"
    " watched_at IS NOT NULL AS watched"
)
_COUNTS = "refund_transfer_id IS NULL"


def _ticket(row: Record) -> Ticket:
    return Ticket(**dict(row))


def held(user: str, session: str) -> str:
    """A condition; the arguments are SQL."""
    return (
        f"EXISTS (SELECT FROM tickets one WHERE one.user_id = {user}"
        f" AND one.session_id = {session} AND one.{_COUNTS})"
    )


async def of(connection: Connection, session_id: int, user_id: int) -> Ticket | None:
    """Locked: nobody begins to watch with it meanwhile."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM tickets"  # noqa: S608
        f" WHERE session_id = $1 AND user_id = $2 AND {_COUNTS} FOR UPDATE",
        session_id,
        user_id,
    )
    return None if row is None else _ticket(row)


async def add(
    connection: Connection,
    session_id: int,
    user_id: int,
    host_id: int,
    coins: int,
    transfer_id: int,
) -> int:
    return int(
        await connection.fetchval(
            "INSERT INTO tickets (session_id, user_id, host_id, coins, transfer_id)"
            " VALUES ($1, $2, $3, $4, $5) RETURNING id",
            session_id,
            user_id,
            host_id,
            coins,
            transfer_id,
        )
    )


async def watched(executor: Executor, session_id: int, user_id: int) -> bool:
    """With it, from here on: it is not given back any more. False when there is
    none."""
    found = await executor.fetchval(
        "UPDATE tickets SET watched_at = coalesce(watched_at, now())"  # noqa: S608
        f" WHERE session_id = $1 AND user_id = $2 AND {_COUNTS} RETURNING true",
        session_id,
        user_id,
    )
    return found is True


async def seen(executor: Executor, viewers: Sequence[Seen]) -> None:
    """To watch: their tickets are not given back any more, whoever let them in."""
    await executor.execute(
        f"""
        UPDATE tickets t SET watched_at = now()
        FROM unnest($1::integer[], $2::integer[]) AS seen (session_id, user_id)
        WHERE t.session_id = seen.session_id AND t.user_id = seen.user_id
            AND t.watched_at IS NULL AND t.{_COUNTS}
        """,  # noqa: S608
        [one.session_id for one in viewers],
        [one.user_id for one in viewers],
    )


async def refunded(connection: Connection, ticket_id: int, transfer_id: int) -> None:
    await connection.execute(
        "UPDATE tickets SET refund_transfer_id = $2 WHERE id = $1",
        ticket_id,
        transfer_id,
    )


async def used(connection: Connection, ticket_id: int, transfer_id: int) -> None:
    await connection.execute(
        "UPDATE tickets SET used_transfer_id = $2 WHERE id = $1", ticket_id, transfer_id
    )


async def get_unsettled(connection: Connection, ticket_id: int) -> Ticket | None:
    """Locked, as above; None for one that is used or given back."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM tickets WHERE id = $1 AND {_COUNTS}"  # noqa: S608
        " AND used_transfer_id IS NULL FOR UPDATE",
        ticket_id,
    )
    return None if row is None else _ticket(row)


async def to_settle(
    executor: Executor, limit: int, unwatched: timedelta
) -> list[Ticket]:
    """Watched ones whose coins wait, and unwatched ones of sessions that are over:
    without a picture, or for so long."""
    rows = await executor.fetch(
        f"""
        SELECT {_COLUMNS} FROM tickets t
        WHERE {_COUNTS} AND used_transfer_id IS NULL AND (watched_at IS NOT NULL
            OR EXISTS (SELECT FROM live_streaming_sessions s WHERE s.id = t.session_id
                AND s.status IN ('ended', 'expired')
                AND (s.started_at IS NULL OR s.ended_at < now() - $2::interval)))
        ORDER BY id LIMIT $1
        """,  # noqa: S608
        limit,
        unwatched,
    )
    return [_ticket(row) for row in rows]
