"""Likes and views, and the numbers that say so."""

import asyncio

import pytest

from control_plane.base.database import Pool
from control_plane.base.refusals import Refusal
from control_plane.people.service.deletion import Deletion
from control_plane.people.store import profiles
from control_plane.videos.model.videos import NewVideo
from control_plane.videos.model.viewers import Viewer
from control_plane.videos.service.videos import VIEW_AGAIN_AFTER, Videos
from tests.videos.conftest import Join, Post


async def _likes_of(pool: Pool, user_id: int) -> int:
    return (await profiles.of(pool, 0, [user_id]))[user_id].likes


async def test_a_like_is_a_toggle_that_counts_for_video_and_author(
    videos: Videos, join: Join, post: Post, pool: Pool
) -> None:
    author, ann = await join("author"), await join("ann")
    video = await post(author, "v")

    liked = await videos.toggle_like(ann, video)

    assert liked.like is not None
    assert (liked.like.user_id, liked.like.video_id) == (ann, video)
    assert (liked.item.liked, liked.item.video.like_count) == (True, 1)
    assert await _likes_of(pool, author) == 1
    taken = await videos.toggle_like(ann, video)
    assert (taken.like, taken.item.liked, taken.item.video.like_count) == (
        None,
        False,
        0,
    )
    assert await _likes_of(pool, author) == 0
    with pytest.raises(Refusal, match="video not available"):
        await videos.toggle_like(ann, 999)


async def test_likes_at_once_are_all_counted(
    videos: Videos, join: Join, post: Post, pool: Pool
) -> None:
    author = await join("author")
    both = [await post(author, "v"), await post(author, "w")]
    fans = [await join(f"fan{i}") for i in range(10)]

    await asyncio.gather(
        *(videos.toggle_like(fan, video) for fan in fans for video in both)
    )

    for video in both:
        assert (await videos.get(0, video)).video.like_count == 10
    assert await _likes_of(pool, author) == 20


async def test_a_view_counts_once_an_hour_for_each_viewer(
    videos: Videos, join: Join, post: Post, pool: Pool
) -> None:
    ann, video = await join("ann"), await post(await join("author"), "v")

    async def count() -> int:
        return (await videos.get(0, video)).video.view_count

    for viewer in (Viewer(ann), Viewer(ann), Viewer(guest="a"), Viewer(guest="b")):
        await videos.watched(viewer, [video, video, 999])
    assert await count() == 3

    await pool.execute(
        "UPDATE video_views SET last_at = last_at - make_interval(secs => $1)",
        float(VIEW_AGAIN_AFTER + 1),
    )
    await videos.watched(Viewer(ann), [video])
    await videos.watched(Viewer(ann), [video])
    assert await count() == 4


async def test_views_of_the_same_videos_at_once_do_not_stand_in_each_others_way(
    videos: Videos, join: Join, post: Post
) -> None:
    author = await join("author")
    ids = [await post(author, f"v{i}") for i in range(5)]
    viewers = [Viewer(guest=f"{i % 4}") for i in range(20)]

    await asyncio.gather(
        *(
            videos.watched(viewer, ids if number % 2 else ids[::-1])
            for number, viewer in enumerate(viewers)
        )
    )

    for video in ids:
        assert (await videos.get(0, video)).video.view_count == 4


async def test_the_same_file_is_one_video(
    videos: Videos, join: Join, pool: Pool
) -> None:
    author = await join("author")
    new = NewVideo(author, "v", "/media/v.mp4", "/media/v.jpg", 4.5, 360, 640)

    assert await videos.add(new)
    assert not await videos.add(new)

    assert (await profiles.of(pool, 0, [author]))[author].videos == 1
    kept = (await videos.of_user(0, author, 0, private=False))[0].video
    assert (kept.description, kept.video_url) == ("v", "/media/v.mp4")
    assert (kept.thumbnail_url, kept.duration) == ("/media/v.jpg", 4.5)
    assert (kept.width, kept.height) == (360, 640)


async def test_a_user_who_leaves_takes_likes_views_and_videos_along(
    videos: Videos, join: Join, post: Post, pool: Pool
) -> None:
    author, ann = await join("author"), await join("ann")
    theirs = [await post(author, "v"), await post(author, "w")]
    mine = await post(ann, "mine")
    for video in theirs:
        await videos.toggle_like(ann, video)
    await videos.toggle_like(author, theirs[0])
    await videos.watched(Viewer(ann), theirs)
    await videos.related(Viewer(ann), 0)

    async def leave(user_id: int) -> None:
        """Nothing of it is outside here."""

    await Deletion(pool, [videos.forget], leave).delete(ann)

    counts = [(await videos.get(0, video)).video.like_count for video in theirs]
    assert counts == [1, 0]
    assert await _likes_of(pool, author) == 1
    with pytest.raises(Refusal):
        await videos.get(author, mine)
    for table in ("video_views", "feeds"):
        assert await pool.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608
