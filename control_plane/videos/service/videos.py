"""The feed: unseen first, in pages that stay as they were when it was opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from control_plane.base.batches import Reads
from control_plane.base.database import Connection, Executor, Pool
from control_plane.base.refusals import Refusal
from control_plane.people.model.users import Counts
from control_plane.videos.model.videos import Feed, Item, Like, NewVideo, Opened
from control_plane.videos.model.viewers import Viewer, is_guest
from control_plane.videos.store import feeds, likes, videos, views

PAGE = 10
PROFILE_PAGE = 20
MOST_WATCHED = 100  # videos in one message
VIEW_AGAIN_AFTER = 3600  # seconds until the same viewer counts again
LARGEST_ID = 2_147_483_647
MOST_OF_GUEST = 200  # views that are remembered
GUEST_DAYS = 30  # and how long
MOST_DROPPED = 2 * MOST_WATCHED  # old rows of guests, each time that one adds some
NOT_AVAILABLE = "video not available"


@dataclass(frozen=True, slots=True)
class Liked:
    like: Like | None  # None: taken back
    item: Item


class Videos:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._anew = Reads(self._open_anew)

    async def related(self, viewer: Viewer, page: int) -> list[Item]:
        """What this viewer has not watched yet, newest first, then the rest."""
        opened = await self._opened(viewer, "related", page)
        me, name = viewer.user_id, viewer.name
        found = await feeds.unseen(self._pool, me, name, opened, PAGE, page * PAGE)
        if len(found) < PAGE:
            before = page * PAGE + len(found)
            if not found:
                before = await feeds.count_unseen(self._pool, me, name, opened)
            missing, skip = PAGE - len(found), max(0, page * PAGE - before)
            found += await feeds.seen(self._pool, me, name, opened, missing, skip)
        return found

    async def of_followed(self, user_id: int, page: int) -> list[Item]:
        opened = await self._opened(Viewer(user_id), "following", page)
        return await videos.of_followed(
            self._pool, user_id, opened.newest, PAGE, page * PAGE
        )

    async def of_user(
        self, viewer_id: int, user_id: int, page: int, *, private: bool
    ) -> list[Item]:
        """Private ones are seen by their author alone."""
        return await videos.of_user(
            self._pool,
            viewer_id,
            user_id,
            PROFILE_PAGE,
            page * PROFILE_PAGE,
            private=private,
        )

    async def get(self, viewer_id: int, video_id: int) -> Item:
        return await _item(self._pool, viewer_id, video_id)

    async def toggle_like(self, user_id: int, video_id: int) -> Liked:
        async with self._pool.transaction() as connection:
            await videos.lock(connection, video_id)
            video = (await _item(connection, user_id, video_id)).video
            like = await likes.add(connection, video_id, user_id)
            if like is None:
                await likes.remove(connection, video_id, user_id)
            change = -1 if like is None else 1
            await videos.count_like(connection, video_id, video.user_id, change)
            return Liked(like, await _item(connection, user_id, video_id))

    async def watched(self, viewer: Viewer, video_ids: Sequence[int]) -> None:
        """Who cannot be remembered is not counted: it could be one and the same."""
        if not viewer.name:
            return
        ids = sorted(set(video_ids))[:MOST_WATCHED]
        async with self._pool.transaction() as connection:
            await views.add(connection, viewer.name, ids, VIEW_AGAIN_AFTER)
            if viewer.is_guest:
                await views.keep_newest(connection, viewer.name, MOST_OF_GUEST)
                await views.drop_old_of_guests(connection, GUEST_DAYS, MOST_DROPPED)

    async def add(self, new: NewVideo) -> bool:
        """False when this file is there already."""
        async with self._pool.transaction() as connection:
            return await videos.add(connection, new)

    async def forget(self, connection: Connection, user_id: int) -> dict[int, Counts]:
        """This user's videos, likes and views; what that changes in the numbers of
        authors. Views come first, as where videos are watched."""
        viewer = Viewer(user_id).name
        await views.forget(connection, viewer)
        await feeds.forget(connection, viewer)
        await videos.lock_of(connection, user_id)
        lost = await likes.forget(connection, user_id)
        await videos.forget(connection, user_id)
        return {author: Counts(likes=-many) for author, many in lost.items()}

    async def _opened(self, viewer: Viewer, kind: Feed, page: int) -> Opened:
        """Asking for the first page opens the feed anew."""
        if not viewer.name:
            return Opened(datetime.now(UTC), LARGEST_ID)
        if page > 0:
            opened = await feeds.opened(self._pool, viewer.name, kind)
            if opened is not None:
                return opened
        anew = await self._anew.get((viewer.name, kind))
        if anew is None:
            raise LookupError(viewer.name)
        return anew

    async def _open_anew(
        self, asked: Sequence[tuple[str, Feed]]
    ) -> dict[tuple[str, Feed], Opened]:
        if any(is_guest(name) for name, _ in asked):
            await feeds.drop_old_of_guests(self._pool, GUEST_DAYS, MOST_DROPPED)
        return await feeds.open_anew(self._pool, asked)


async def _item(executor: Executor, viewer_id: int, video_id: int) -> Item:
    found = await videos.get(executor, viewer_id, video_id)
    if found is None:
        raise Refusal(NOT_AVAILABLE)
    return found
