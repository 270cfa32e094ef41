"""Somebody deletes the account while others like, watch and follow: whoever comes
second waits, and nobody waits for ever."""

import asyncio

import pytest

from control_plane.base.database import Pool
from control_plane.people.service.deletion import Deletion
from control_plane.people.service.social import Social
from control_plane.people.store import profiles
from control_plane.people.store.users import get
from control_plane.videos.model.viewers import Viewer
from control_plane.videos.service.videos import Videos
from tests.support.locks import WAITING
from tests.support.stack import until
from tests.videos.conftest import Join, Post

#: How many wait for somebody who waits.
BEHIND = """
    SELECT count(*) FROM pg_stat_activity a, unnest(pg_blocking_pids(a.pid)) AS other
    WHERE a.datname = current_database() AND cardinality(pg_blocking_pids(other)) > 0
"""


@pytest.fixture
def deletion(pool: Pool, videos: Videos) -> Deletion:
    async def leave(user_id: int) -> None:
        """Nothing of it is outside here."""

    return Deletion(pool, [videos.forget], leave)


async def _waiting(pool: Pool, many: int) -> None:
    """Until so many wait for a lock."""

    async def look() -> bool:
        return bool(await pool.fetchval(WAITING) >= many)

    await until(look, pause=0.01)


async def _likes(pool: Pool, user_id: int) -> int:
    return (await profiles.of(pool, 0, [user_id]))[user_id].likes


async def _left(pool: Pool, user_id: int) -> bool:
    user = await get(pool, user_id)
    return user is not None and user.deleted_at is not None


async def test_a_like_and_the_account_of_a_fan_that_goes(
    videos: Videos,
    social: Social,
    deletion: Deletion,
    join: Join,
    post: Post,
    pool: Pool,
) -> None:
    """Of a video that both like, by whom the one who goes follows."""
    author, ann, fan = [await join(name) for name in ("author", "ann", "fan")]
    video = await post(author, "v")
    await social.toggle_follow(ann, author)
    await videos.toggle_like(ann, video)
    async with pool.transaction() as connection:
        await connection.execute("SELECT FROM users WHERE id = $1 FOR UPDATE", fan)
        liking = asyncio.create_task(videos.toggle_like(fan, video))
        await _waiting(pool, 1)  # with the video
        going = asyncio.create_task(deletion.delete(ann))
        await _waiting(pool, 2)
    await asyncio.gather(liking, going)
    assert await _left(pool, ann)
    assert (await videos.get(fan, video)).video.like_count == 1
    assert await _likes(pool, author) == 1


async def test_a_like_of_a_video_whose_author_goes(
    videos: Videos,
    social: Social,
    deletion: Deletion,
    join: Join,
    post: Post,
    pool: Pool,
) -> None:
    author, fan = await join("author"), await join("fan")
    video = await post(author, "v")
    await social.toggle_follow(fan, author)
    async with pool.transaction() as connection:
        await connection.execute("SELECT FROM users WHERE id = $1 FOR UPDATE", fan)
        liking = asyncio.create_task(videos.toggle_like(fan, video))
        await _waiting(pool, 1)  # with the video
        going = asyncio.create_task(deletion.delete(author))
        await _waiting(pool, 2)
    await asyncio.gather(liking, going)
    assert await _left(pool, author)
    assert await _likes(pool, author) == 1


async def test_a_like_that_is_taken_back_by_who_goes(
    videos: Videos, deletion: Deletion, join: Join, post: Post, pool: Pool
) -> None:
    """On two phones at once."""
    author, ann = await join("author"), await join("ann")
    video = await post(author, "v")
    await videos.toggle_like(ann, video)
    async with pool.transaction() as connection:
        await connection.execute("SELECT FROM video_likes FOR UPDATE")
        going = asyncio.create_task(deletion.delete(ann))
        await _waiting(pool, 1)
        liking = asyncio.create_task(videos.toggle_like(ann, video))
        await _waiting(pool, 2)
    await asyncio.gather(liking, going)
    assert await _left(pool, ann)


async def test_the_numbers_of_all_whom_it_changes_are_locked_in_their_order(
    videos: Videos,
    social: Social,
    deletion: Deletion,
    join: Join,
    post: Post,
    pool: Pool,
) -> None:
    """The author of what was liked comes before who is followed."""
    author, bob, ann = [await join(name) for name in ("author", "bob", "ann")]
    await videos.toggle_like(ann, await post(author, "v"))
    await social.toggle_follow(ann, bob)
    async with pool.transaction() as connection:
        await connection.execute("SELECT FROM videos FOR NO KEY UPDATE")
        async with pool.transaction() as other:
            await other.execute(
                "SELECT FROM user_counts WHERE user_id = $1 FOR UPDATE", author
            )
            following = asyncio.create_task(social.toggle_follow(author, bob))
            await _waiting(pool, 1)
            going = asyncio.create_task(deletion.delete(ann))
            await _waiting(pool, 2)

        async def stands() -> bool:
            return following.done() or bool(await pool.fetchval(BEHIND))

        await until(stands, pause=0.01)
    await asyncio.gather(going, following)
    assert await _left(pool, ann)
    assert await _likes(pool, author) == 0
    assert (await profiles.of(pool, 0, [bob]))[bob].followers == 1


async def test_a_video_that_is_watched_by_who_goes(
    videos: Videos, deletion: Deletion, join: Join, post: Post, pool: Pool
) -> None:
    author, ann = await join("author"), await join("ann")
    video, own = await post(author, "v"), await post(ann, "own")
    await videos.toggle_like(ann, video)
    await videos.watched(Viewer(ann), [video])
    await pool.execute("UPDATE video_views SET last_at = now() - interval '1 day'")
    async with pool.transaction() as connection:
        await connection.execute("SELECT FROM videos WHERE id = $1 FOR UPDATE", own)
        going = asyncio.create_task(deletion.delete(ann))
        await _waiting(pool, 1)  # with the video that ann likes
        watching = asyncio.create_task(videos.watched(Viewer(ann), [video]))
        await _waiting(pool, 2)
    await asyncio.gather(watching, going)
    assert await _left(pool, ann)
    assert (await videos.get(0, video)).video.view_count == 2
