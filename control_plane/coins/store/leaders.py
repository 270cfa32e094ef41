"""Leader boards, from the sums that a trigger keeps as gifts are written."""

from datetime import timedelta

from control_plane.base.database import Executor, Record
from control_plane.coins.model.leaders import Leader


def _leaders(rows: list[Record]) -> list[Leader]:
    return [Leader(**dict(row)) for row in rows]


async def of_session(
    executor: Executor, session_id: int, *, sent: bool, within: timedelta, limit: int
) -> list[Leader]:
    rows = await executor.fetch(
        """
        SELECT user_id, sum(coins)::bigint AS coins FROM gift_hours
        WHERE session_id = $1 AND sent = $2
            AND hour > now() - interval '1 hour' - $3::interval
        GROUP BY user_id ORDER BY coins DESC, user_id LIMIT $4
        """,
        session_id,
        sent,
        within,
        limit,
    )
    return _leaders(rows)


async def of_hours(
    executor: Executor, *, sent: bool, within: timedelta, limit: int
) -> list[Leader]:
    rows = await executor.fetch(
        """
        SELECT user_id, sum(coins)::bigint AS coins FROM gift_hours
        WHERE sent = $1 AND hour > now() - interval '1 hour' - $2::interval
        GROUP BY user_id ORDER BY coins DESC, user_id LIMIT $3
        """,
        sent,
        within,
        limit,
    )
    return _leaders(rows)


async def of_days(
    executor: Executor, *, sent: bool, within: timedelta, limit: int
) -> list[Leader]:
    rows = await executor.fetch(
        """
        SELECT user_id, sum(coins)::bigint AS coins FROM gift_days
        WHERE sent = $1 AND day > now() - interval '1 day' - $2::interval
        GROUP BY user_id ORDER BY coins DESC, user_id LIMIT $3
        """,
        sent,
        within,
        limit,
    )
    return _leaders(rows)
