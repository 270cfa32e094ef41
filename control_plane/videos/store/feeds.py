"""Feeds: what a viewer has not watched yet, then the rest."""

from control_plane.base.database import Connection, Executor
from control_plane.videos.model.videos import Feed, Opened, Video
from control_plane.videos.store.videos import FROM, SELECT, VISIBLE, videos

#: Other people's, as it was when the feed was opened.
_OFFERED = f"{VISIBLE} AND v.user_id <> $1 AND v.id <= $4"
_SEEN = """
    EXISTS (SELECT FROM video_views w WHERE w.viewer = $2 AND w.video_id = v.id
        AND w.first_at <= $3)
"""


async def open_anew(executor: Executor, viewer: str, kind: Feed) -> Opened:
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


async def opened(executor: Executor, viewer: str, kind: Feed) -> Opened | None:
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
    """Newest first."""
    return await _page(
        executor, f"NOT {_SEEN}", viewer_id, viewer, opened, limit, offset
    )


async def seen(
    executor: Executor,
    viewer_id: int,
    viewer: str,
    opened: Opened,
    limit: int,
    offset: int,
) -> list[Video]:
    """Newest first."""
    return await _page(executor, _SEEN, viewer_id, viewer, opened, limit, offset)


async def _page(
    executor: Executor,
    which: str,
    viewer_id: int,
    viewer: str,
    opened: Opened,
    limit: int,
    offset: int,
) -> list[Video]:
    rows = await executor.fetch(
        f"{SELECT} WHERE {_OFFERED} AND {which} ORDER BY v.id DESC LIMIT $5 OFFSET $6",
        viewer_id,
        viewer,
        opened.at,
        opened.newest,
        limit,
        offset,
    )
    return videos(rows)


async def count_unseen(
    executor: Executor, viewer_id: int, viewer: str, opened: Opened
) -> int:
    return int(
        await executor.fetchval(
            f"SELECT count(*) {FROM} WHERE {_OFFERED} AND NOT {_SEEN}",
            viewer_id,
            viewer,
            opened.at,
            opened.newest,
        )
    )


async def drop_old_of_guests(connection: Connection, days: int, most: int) -> None:
    await connection.execute(
        """
        DELETE FROM feeds WHERE (viewer, kind) IN (
            SELECT viewer, kind FROM feeds WHERE viewer LIKE 'guest %'
                AND opened_at < now() - make_interval(days => $1)
            ORDER BY opened_at LIMIT $2 FOR UPDATE SKIP LOCKED)
        """,
        days,
        most,
    )


async def forget(connection: Connection, viewer: str) -> None:
    await connection.execute("DELETE FROM feeds WHERE viewer = $1", viewer)
