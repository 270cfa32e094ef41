"""What viewers have watched."""

from collections.abc import Sequence

from control_plane.base.database import Connection


async def add(
    connection: Connection, viewer: str, video_ids: Sequence[int], quiet_seconds: int
) -> None:
    """Mark them as seen, and count each view unless this viewer's last one of it is
    less than ``quiet_seconds`` old."""
    await connection.execute(
        """
        WITH counted AS (
            INSERT INTO video_views AS w (viewer, video_id)
            SELECT $1, id FROM videos
            WHERE id = ANY($2) AND deleted_at IS NULL ORDER BY id
            ON CONFLICT (viewer, video_id) DO UPDATE SET last_at = now()
                WHERE w.last_at < now() - make_interval(secs => $3)
            RETURNING video_id
        ), locked AS (
            SELECT id FROM videos WHERE id IN (SELECT video_id FROM counted)
            ORDER BY id FOR NO KEY UPDATE
        )
        UPDATE videos SET view_count = view_count + 1
        WHERE id IN (SELECT id FROM locked)
        """,
        viewer,
        list(video_ids),
        float(quiet_seconds),
    )


async def keep_newest(connection: Connection, viewer: str, most: int) -> None:
    """Forget what this viewer watched before that."""
    await connection.execute(
        """
        DELETE FROM video_views WHERE viewer = $1 AND video_id IN (
            SELECT video_id FROM video_views WHERE viewer = $1 AND video_id IN (
                SELECT video_id FROM video_views WHERE viewer = $1
                ORDER BY last_at DESC, video_id DESC OFFSET $2)
            FOR UPDATE SKIP LOCKED)
        """,
        viewer,
        most,
    )


async def drop_old_of_guests(connection: Connection, days: int, most: int) -> None:
    await connection.execute(
        """
        DELETE FROM video_views WHERE (viewer, video_id) IN (
            SELECT viewer, video_id FROM video_views WHERE viewer LIKE 'guest %'
                AND last_at < now() - make_interval(days => $1)
            ORDER BY last_at LIMIT $2 FOR UPDATE SKIP LOCKED)
        """,
        days,
        most,
    )


async def forget(connection: Connection, viewer: str) -> None:
    await connection.execute("DELETE FROM video_views WHERE viewer = $1", viewer)
