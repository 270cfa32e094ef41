"""How each session's stream came in, minute by minute."""

from collections.abc import Mapping

from control_plane.base.database import Executor
from control_plane.live.model.ingest import Health, IntakeMinute


async def note(executor: Executor, healths: Mapping[int, Health]) -> None:
    """As it is now, by session; the last word of each minute stays."""
    await executor.execute(
        """
        INSERT INTO session_intake (session_id, minute, bitrate, frames_in_error)
        SELECT session_id, date_trunc('minute', now()), bitrate, frames
        FROM unnest($1::integer[], $2::bigint[], $3::bigint[])
            AS given (session_id, bitrate, frames)
        ON CONFLICT (session_id, minute) DO UPDATE SET
            bitrate = excluded.bitrate, frames_in_error = excluded.frames_in_error
        """,
        list(healths),
        [one.bitrate for one in healths.values()],
        [one.frames_in_error for one in healths.values()],
    )


async def of(executor: Executor, session_id: int) -> list[IntakeMinute]:
    rows = await executor.fetch(
        "SELECT minute, bitrate, frames_in_error FROM session_intake"
        " WHERE session_id = $1 ORDER BY minute",
        session_id,
    )
    return [IntakeMinute(**dict(row)) for row in rows]
