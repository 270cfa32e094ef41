"""Who likes which video."""

from dataclasses import fields

from control_plane.base.database import Connection
from control_plane.people.store import counts
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


async def forget(connection: Connection, user_id: int) -> None:
    """A user's likes, and what they added to videos and their authors."""
    await connection.execute(
        f"""
        WITH gone AS (
            DELETE FROM video_likes WHERE user_id = $1 RETURNING video_id
        ), liked AS (
            SELECT id, user_id FROM videos WHERE id IN (SELECT video_id FROM gone)
            ORDER BY id FOR NO KEY UPDATE
        ), fewer AS (
            UPDATE videos SET like_count = like_count - 1
            WHERE id IN (SELECT id FROM liked)
        ), changes AS (
            SELECT user_id, 0 AS followers, 0 AS following, -count(*) AS likes,
                0 AS videos
            FROM liked GROUP BY user_id
        ), {counts.APPLY}
        """,  # noqa: S608
        user_id,
    )
