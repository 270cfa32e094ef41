"""Videos: which ones a viewer may see, in which order, and who likes them."""

from collections.abc import Iterable, Sequence
from dataclasses import fields

from control_plane.base.database import Connection, Executor, Record
from control_plane.videos.model.videos import Feed, Like, NewVideo, Opened, Video

_VIDEO = ", ".join(f"v.{field.name}" for field in fields(Video))

# $1 is the viewer, 0 for a guest. Blocks count in both directions.
_VISIBLE = """
    v.deleted_at IS NULL AND u.deleted_at IS NULL AND u.banned_at IS NULL
    AND (v.user_id = $1 OR (
        NOT EXISTS (SELECT FROM blocks b
            WHERE (b.user_id = $1 AND b.block_user_id = v.user_id)
                OR (b.user_id = v.user_id AND b.block_user_id = $1))
        AND CASE v.privacy_type
            WHEN 'public' THEN NOT u.private OR EXISTS (SELECT FROM follows f
                WHERE f.follower_id = $1 AND f.followed_id = v.user_id)
            WHEN 'friends' THEN 2 = (SELECT count(*) FROM follows f
                WHERE (f.follower_id, f.followed_id)
                    IN (($1, v.user_id), (v.user_id, $1)))
            ELSE false END))
"""
_FROM = f"SELECT {_VIDEO} FROM videos v JOIN users u ON u.id = v.user_id"  # noqa: S608
_SEEN = """
    EXISTS (SELECT FROM video_views w WHERE w.viewer = $2 AND w.video_id = v.id
        AND w.first_at <= $3)
"""


def _videos(rows: Sequence[Record]) -> list[Video]:
    return [Video(**dict(row)) for row in rows]


async def get(executor: Executor, viewer_id: int, video_id: int) -> Video | None:
    """None also for what this viewer may not see."""
    row = await executor.fetchrow(
        f"{_FROM} WHERE {_VISIBLE} AND v.id = $2", viewer_id, video_id
    )
    return None if row is None else Video(**dict(row))


async def owners(executor: Executor, video_ids: Iterable[int]) -> dict[int, int]:
    """By id, of those that are there."""
    rows = await executor.fetch(
        "SELECT id, user_id FROM videos WHERE id = ANY($1) AND deleted_at IS NULL",
        list(video_ids),
    )
    return {row["id"]: row["user_id"] for row in rows}


async def open_feed(executor: Executor, viewer: str, kind: Feed) -> Opened:
    """From now on this viewer's pages start here."""
    row = await executor.fetchrow(
        """
        INSERT INTO feeds (viewer, kind, opened_at, newest)
        SELECT $1, $2, clock_timestamp(), coalesce(max(id), 0) FROM videos
        ON CONFLICT (viewer, kind) DO UPDATE
            SET opened_at = excluded.opened_at, newest = excluded.newest
        RETURNING opened_at AS at, newest
        """,
        viewer,
        kind,
    )
    if row is None:
        raise LookupError(viewer)
    return Opened(**dict(row))


async def opened_feed(executor: Executor, viewer: str, kind: Feed) -> Opened | None:
    row = await executor.fetchrow(
        "SELECT opened_at AS at, newest FROM feeds WHERE viewer = $1 AND kind = $2",
        viewer,
        kind,
    )
    return None if row is None else Opened(**dict(row))


async def unseen(
    executor: Executor,
    viewer_id: int,
    viewer: str,
    opened: Opened,
    limit: int,
    offset: int,
) -> list[Video]:
    """Other people's, newest first, as it was when the feed was opened."""
    rows = await executor.fetch(
        f"{_FROM} WHERE {_VISIBLE} AND NOT {_SEEN} AND v.id <= $4"
        " AND v.user_id <> $1 ORDER BY v.id DESC LIMIT $5 OFFSET $6",
        viewer_id,
        viewer,
        opened.at,
        opened.newest,
        limit,
        offset,
    )
    return _videos(rows)


async def count_unseen(
    executor: Executor, viewer_id: int, viewer: str, opened: Opened
) -> int:
    return int(
        await executor.fetchval(
            "SELECT count(*) FROM videos v JOIN users u ON u.id = v.user_id"  # noqa: S608
            f" WHERE {_VISIBLE} AND NOT {_SEEN} AND v.id <= $4 AND v.user_id <> $1",
            viewer_id,
            viewer,
            opened.at,
            opened.newest,
        )
    )


async def seen(
    executor: Executor,
    viewer_id: int,
    viewer: str,
    opened: Opened,
    limit: int,
    offset: int,
) -> list[Video]:
    """The opposite of :func:`unseen`, in the same order."""
    rows = await executor.fetch(
        f"{_FROM} WHERE {_VISIBLE} AND {_SEEN} AND v.id <= $4"
        " AND v.user_id <> $1 ORDER BY v.id DESC LIMIT $5 OFFSET $6",
        viewer_id,
        viewer,
        opened.at,
        opened.newest,
        limit,
        offset,
    )
    return _videos(rows)


async def of_followed(
    executor: Executor, viewer_id: int, newest: int, limit: int, offset: int
) -> list[Video]:
    """Of those whom the viewer follows, newest first."""
    rows = await executor.fetch(
        f"{_FROM} JOIN follows mine ON mine.followed_id = v.user_id"
        f" AND mine.follower_id = $1 WHERE {_VISIBLE} AND v.id <= $2"
        " ORDER BY v.id DESC LIMIT $3 OFFSET $4",
        viewer_id,
        newest,
        limit,
        offset,
    )
    return _videos(rows)


async def of_user(
    executor: Executor,
    viewer_id: int,
    user_id: int,
    limit: int,
    offset: int,
    *,
    private: bool,
) -> list[Video]:
    """Newest first: those that are private, or the others."""
    rows = await executor.fetch(
        f"{_FROM} WHERE {_VISIBLE} AND v.user_id = $2"
        " AND (v.privacy_type = 'private') = $3"
        " ORDER BY v.id DESC LIMIT $4 OFFSET $5",
        viewer_id,
        user_id,
        private,
        limit,
        offset,
    )
    return _videos(rows)


async def liked(
    executor: Executor, viewer_id: int, video_ids: Sequence[int]
) -> frozenset[int]:
    """Which of these the viewer likes."""
    rows = await executor.fetch(
        "SELECT video_id FROM video_likes WHERE user_id = $1 AND video_id = ANY($2)",
        viewer_id,
        list(video_ids),
    )
    return frozenset(row["video_id"] for row in rows)


async def like(connection: Connection, video_id: int, user_id: int) -> Like | None:
    """None when it was so already."""
    row = await connection.fetchrow(
        "INSERT INTO video_likes (video_id, user_id) VALUES ($1, $2)"
        " ON CONFLICT DO NOTHING RETURNING id, video_id, user_id, created_at",
        video_id,
        user_id,
    )
    return None if row is None else Like(**dict(row))


async def unlike(connection: Connection, video_id: int, user_id: int) -> None:
    await connection.execute(
        "DELETE FROM video_likes WHERE video_id = $1 AND user_id = $2",
        video_id,
        user_id,
    )


async def lock(connection: Connection, video_id: int) -> None:
    """Two likes of one video come one after the other."""
    await connection.execute(
        "SELECT FROM videos WHERE id = $1 FOR NO KEY UPDATE", video_id
    )


async def count_like(
    connection: Connection, video_id: int, author_id: int, change: int
) -> int:
    """``change`` is 1 or -1. The video's count after it."""
    count = await connection.fetchval(
        "UPDATE videos SET like_count = like_count + $2 WHERE id = $1"
        " RETURNING like_count",
        video_id,
        change,
    )
    await connection.execute(
        "INSERT INTO user_counts AS c (user_id) VALUES ($1)"
        " ON CONFLICT (user_id) DO NOTHING",
        author_id,
    )
    await connection.execute(
        "UPDATE user_counts SET likes = likes + $2 WHERE user_id = $1",
        author_id,
        change,
    )
    return int(count)


async def watched(
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


async def add(connection: Connection, new: NewVideo) -> int | None:
    """None when this very file is there already."""
    video_id = await connection.fetchval(
        """
        INSERT INTO videos (user_id, description, video_url, thumbnail_url, duration,
            width, height)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (video_url) DO NOTHING
        RETURNING id
        """,
        new.user_id,
        new.description,
        new.video_url,
        new.thumbnail_url,
        new.duration,
        new.width,
        new.height,
    )
    if video_id is None:
        return None
    await connection.execute(
        "INSERT INTO user_counts AS c (user_id, videos) VALUES ($1, 1)"
        " ON CONFLICT (user_id) DO UPDATE SET videos = c.videos + 1",
        new.user_id,
    )
    return int(video_id)


async def forget(connection: Connection, user_id: int) -> None:
    """This user's videos, likes and views. The rows of the videos stay: gifts were
    sent on them."""
    await connection.execute(
        """
        WITH gone AS (
            DELETE FROM video_likes WHERE user_id = $1 RETURNING video_id
        ), locked AS (
            SELECT id, user_id FROM videos WHERE id IN (SELECT video_id FROM gone)
            ORDER BY id FOR NO KEY UPDATE
        ), fewer AS (
            UPDATE videos SET like_count = like_count - 1
            WHERE id IN (SELECT id FROM locked)
        ), authors AS (
            SELECT user_id, count(*) AS likes FROM locked GROUP BY user_id
        ), held AS (
            SELECT user_id FROM user_counts WHERE user_id IN
                (SELECT user_id FROM authors) ORDER BY user_id FOR UPDATE
        )
        UPDATE user_counts c SET likes = c.likes - a.likes
        FROM authors a JOIN held USING (user_id) WHERE c.user_id = a.user_id
        """,
        user_id,
    )
    await connection.execute(
        "UPDATE videos SET deleted_at = now(), description = '' WHERE user_id = $1"
        " AND deleted_at IS NULL",
        user_id,
    )
    await connection.execute(
        "DELETE FROM video_views WHERE viewer = 'user ' || $1::integer", user_id
    )
    await connection.execute(
        "DELETE FROM feeds WHERE viewer = 'user ' || $1::integer", user_id
    )
