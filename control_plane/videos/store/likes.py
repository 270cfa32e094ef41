"""Who likes which video."""

from dataclasses import fields

from control_plane.base.database import Connection
from control_plane.videos.model.videos import Like

_LIKE = ", ".join(field.name for field in fields(Like))


async def add(connection: Connection, video_id: int, user_id: int) -> Like | None:
    """None when it was so already."""
    row = await connection.fetchrow(
        "INSERT INTO video_likes (video_id, user_id) VALUES ($1, $2)"  # noqa: S608
        f" ON CONFLICT DO NOTHING RETURNING {_LIKE}",
        video_id,
        user_id,
    )
    return None if row is None else Like(**dict(row))


async def remove(connection: Connection, video_id: int, user_id: int) -> None:
    await connection.execute(
        "DELETE FROM video_likes WHERE video_id = $1 AND user_id = $2",
        video_id,
        user_id,
    )


async def forget(connection: Connection, user_id: int) -> dict[int, int]:
    """A user's likes, of videos that are locked; how many of each author's."""
    rows = await connection.fetch(
        """
        WITH gone AS (
            DELETE FROM video_likes WHERE user_id = $1 RETURNING video_id
        ), fewer AS (
            UPDATE videos SET like_count = like_count - 1
            WHERE id IN (SELECT video_id FROM gone) RETURNING user_id
        )
        SELECT user_id, count(*) AS likes FROM fewer GROUP BY user_id
        """,
        user_id,
    )
    return {row["user_id"]: row["likes"] for row in rows}
