"""Videos, and which of them a viewer may see."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields
from typing import Any

from control_plane.base.database import Connection, Executor, Record
from control_plane.people.model.users import Counts
from control_plane.people.store import counts, profiles
from control_plane.people.store.relations import apart, follows, present
from control_plane.videos.model.videos import Item, NewVideo, Video

_FIELDS = [field.name for field in fields(Video)]
_VIDEO = ", ".join(f"v.{name}" for name in _FIELDS)
_NEW = [field.name for field in fields(NewVideo)]
_PLACES = ", ".join(f"${place}" for place in range(1, len(_NEW) + 1))

#: $1 is the viewer, 0 for a guest.
VISIBLE = f"""
    v.deleted_at IS NULL AND {present("u")}
    AND (v.user_id = $1 OR (
        NOT {apart("$1", "v.user_id")}
        AND CASE v.privacy_type
            WHEN 'public' THEN NOT u.private OR {follows("$1", "v.user_id")}
            WHEN 'friends' THEN {follows("$1", "v.user_id")}
                AND {follows("v.user_id", "$1")}
            ELSE false END))
"""
FROM = "FROM videos v JOIN users u ON u.id = v.user_id"
#: Items, each with its author as the viewer sees them.
SELECT = f"""
    SELECT {_VIDEO}, EXISTS (SELECT FROM video_likes l
        WHERE l.user_id = $1 AND l.video_id = v.id) AS liked, {profiles.columns("$1")}
    FROM videos v JOIN ({profiles.FROM}) ON u.id = v.user_id
"""  # noqa: S608


def items(rows: Sequence[Record]) -> list[Item]:
    return [_item(tuple(row)) for row in rows]


def _item(values: tuple[Any, ...]) -> Item:
    own = len(_FIELDS)
    author = profiles.read(values[own + 1 :])
    return Item(Video(*values[:own]), values[own], author)


async def get(executor: Executor, viewer_id: int, video_id: int) -> Item | None:
    """None also for what this viewer may not see."""
    row = await executor.fetchrow(
        f"{SELECT} WHERE {VISIBLE} AND v.id = $2", viewer_id, video_id
    )
    return None if row is None else _item(tuple(row))


async def owners(executor: Executor, video_ids: Iterable[int]) -> dict[int, int]:
    """By id, of those that are there."""
    rows = await executor.fetch(
        "SELECT id, user_id FROM videos WHERE id = ANY($1) AND deleted_at IS NULL",
        list(video_ids),
    )
    return {row["id"]: row["user_id"] for row in rows}


async def of_followed(
    executor: Executor, viewer_id: int, newest: int, limit: int, offset: int
) -> list[Item]:
    """Of those whom the viewer follows, newest first."""
    rows = await executor.fetch(
        f"{SELECT} JOIN follows mine ON mine.followed_id = v.user_id"
        f" AND mine.follower_id = $1 WHERE {VISIBLE} AND v.id <= $2"
        " ORDER BY v.id DESC LIMIT $3 OFFSET $4",
        viewer_id,
        newest,
        limit,
        offset,
    )
    return items(rows)


async def of_user(
    executor: Executor,
    viewer_id: int,
    user_id: int,
    limit: int,
    offset: int,
    *,
    private: bool,
) -> list[Item]:
    """Newest first: those that are private, or the others."""
    rows = await executor.fetch(
        f"{SELECT} WHERE {VISIBLE} AND v.user_id = $2"
        " AND (v.privacy_type = 'private') = $3"
        " ORDER BY v.id DESC LIMIT $4 OFFSET $5",
        viewer_id,
        user_id,
        private,
        limit,
        offset,
    )
    return items(rows)


async def lock(connection: Connection, video_id: int) -> None:
    """Two likes of one video come one after the other."""
    await connection.execute(
        "SELECT FROM videos WHERE id = $1 FOR NO KEY UPDATE", video_id
    )


async def lock_of(connection: Connection, user_id: int) -> None:
    """This user's, and those that the user likes: each like locks its video first."""
    await connection.execute(
        """
        SELECT FROM videos WHERE id IN (
            SELECT id FROM videos WHERE user_id = $1
            UNION SELECT video_id FROM video_likes WHERE user_id = $1)
        ORDER BY id FOR NO KEY UPDATE
        """,
        user_id,
    )


async def count_like(
    connection: Connection, video_id: int, author_id: int, change: int
) -> None:
    """``change`` is 1 or -1."""
    await connection.execute(
        "UPDATE videos SET like_count = like_count + $2 WHERE id = $1",
        video_id,
        change,
    )
    await counts.change(connection, {author_id: Counts(likes=change)})


async def add(connection: Connection, new: NewVideo) -> bool:
    """False when this very file is there already."""
    video_id = await connection.fetchval(
        f"INSERT INTO videos ({', '.join(_NEW)}) VALUES ({_PLACES})"  # noqa: S608
        " ON CONFLICT (video_url) DO NOTHING RETURNING id",
        *astuple(new),
    )
    if video_id is None:
        return False
    await counts.change(connection, {new.user_id: Counts(videos=1)})
    return True


async def forget(connection: Connection, user_id: int) -> None:
    """The rows stay: gifts were sent on them."""
    await connection.execute(
        "UPDATE videos SET deleted_at = now(), description = '' WHERE user_id = $1"
        " AND deleted_at IS NULL",
        user_id,
    )
