"""Feeds: what a viewer has not watched yet, then the rest."""

from collections.abc import Sequence

from control_plane.base.database import Connection, Executor
from control_plane.videos.model.videos import Feed, Item, Opened
from control_plane.videos.store.videos import FROM, SELECT, VISIBLE, items

#: Other people's, as it was when the feed was opened.
_OFFERED = f"{VISIBLE} AND v.user_id <> $1 AND v.id <= $4"
_SEEN = """
    EXISTS (SELECT FROM video_views w WHERE w.viewer = $2 AND w.video_id = v.id
        AND w.first_at <= $3)
"""


async def open_anew(
    executor: Executor, asked: Sequence[tuple[str, Feed]]
) -> dict[tuple[str, Feed], Opened]:
    """From now on these viewers' pages start here."""
    rows = await executor.fetch(
        """
        INSERT INTO feeds (viewer, kind, opened_at, newest)
        SELECT viewer, kind, clock_timestamp(),
            coalesce((SELECT max(id) FROM videos), 0)
        FROM unnest($1::text[], $2::text[]) AS asked (viewer, kind)
        ORDER BY viewer, kind
        ON CONFLICT (viewer, kind) DO UPDATE
            SET opened_at = excluded.opened_at, newest = excluded.newest
        RETURNING viewer, kind, opened_at, newest
        """,
        [viewer for viewer, _ in asked],
        [kind for _, kind in asked],
    )
    return {(row["viewer"], row["kind"]): Opened(*row[2:]) for row in rows}


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
) -> list[Item]:
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
) -> list[Item]:
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
) -> list[Item]:
    rows = await executor.fetch(
        f"{SELECT} WHERE {_OFFERED} AND {which} ORDER BY v.id DESC LIMIT $5 OFFSET $6",
        viewer_id,
        viewer,
        opened.at,
        opened.newest,
        limit,
        offset,
    )
    return items(rows)


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


async def drop_old_of_guests(executor: Executor, days: int, most: int) -> None:
    await executor.execute(
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
