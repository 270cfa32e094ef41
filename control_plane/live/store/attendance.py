"""Who watched each session, in all and minute by minute."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from control_plane.base.database import Connection, Executor
from control_plane.live.model.attendance import NOBODY, Attended, Minute, Span


async def add(
    connection: Connection, spans: Sequence[Span], unique: Mapping[int, int]
) -> None:
    """What stands there already is not added again. ``unique``: viewers by session,
    which only ever become more."""
    ids = sorted({span.session_id for span in spans} | set(unique))
    counted = await _locked(connection, ids)
    left = [span.after(counted[span.session_id]) for span in spans]
    await _add_minutes(connection, left)
    await connection.execute(
        """
        UPDATE session_attendance a SET
            unique_viewers = greatest(a.unique_viewers, given.unique_viewers),
            viewer_seconds = a.viewer_seconds + given.viewer_seconds,
            counted_until = greatest(a.counted_until, given.counted_until)
        FROM (SELECT session_id, max(unique_viewers) AS unique_viewers,
                sum(viewer_seconds) AS viewer_seconds,
                max(counted_until) AS counted_until
            FROM unnest($1::integer[], $2::integer[], $3::float8[], $4::float8[])
                AS one(session_id, unique_viewers, viewer_seconds, counted_until)
            GROUP BY session_id) AS given
        WHERE a.session_id = given.session_id
        """,
        [*(span.session_id for span in left), *unique],
        [*(0 for _ in left), *unique.values()],
        [*(span.viewer_seconds for span in left), *(0.0 for _ in unique)],
        [*(span.until for span in left), *(0.0 for _ in unique)],
    )


async def of(executor: Executor, session_id: int) -> Attended:
    rows = await executor.fetch(
        """
        SELECT a.unique_viewers, a.viewer_seconds, m.minute, m.viewers_max,
            m.viewer_seconds AS in_minute
        FROM session_attendance a LEFT JOIN session_minutes m USING (session_id)
        WHERE a.session_id = $1 ORDER BY m.minute
        """,
        session_id,
    )
    if not rows:
        return NOBODY
    return Attended(
        rows[0]["unique_viewers"],
        rows[0]["viewer_seconds"],
        [
            Minute(row["minute"], row["viewers_max"], row["in_minute"])
            for row in rows
            if row["minute"] is not None
        ],
    )


async def _locked(connection: Connection, ids: Sequence[int]) -> dict[int, float]:
    """Until when each was counted, in unix seconds; nobody else adds meanwhile."""
    await connection.execute(
        "INSERT INTO session_attendance (session_id) SELECT unnest($1::integer[])"
        " ON CONFLICT DO NOTHING",
        ids,
    )
    rows = await connection.fetch(
        "SELECT session_id, counted_until FROM session_attendance"
        " WHERE session_id = ANY($1) ORDER BY session_id FOR UPDATE",
        ids,
    )
    return {row["session_id"]: row["counted_until"] for row in rows}


async def _add_minutes(connection: Connection, spans: Sequence[Span]) -> None:
    """One span for each session and minute."""
    await connection.execute(
        """
        INSERT INTO session_minutes (session_id, minute, viewers_max, viewer_seconds)
        SELECT * FROM unnest($1::integer[], $2::timestamptz[], $3::integer[],
            $4::float8[])
        ON CONFLICT (session_id, minute) DO UPDATE SET
            viewers_max = greatest(session_minutes.viewers_max, excluded.viewers_max),
            viewer_seconds = session_minutes.viewer_seconds + excluded.viewer_seconds
        """,
        [span.session_id for span in spans],
        [datetime.fromtimestamp(span.minute, UTC) for span in spans],
        [span.viewers_max for span in spans],
        [span.viewer_seconds for span in spans],
    )
