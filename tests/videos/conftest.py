"""The use cases about videos on a database of the test's own."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from control_plane.base.database import Pool, open_pool
from control_plane.people.model.users import NewUser
from control_plane.people.service.social import Social
from control_plane.people.store import users
from control_plane.videos.model.videos import Item, NewVideo
from control_plane.videos.service.videos import Videos

Join = Callable[[str], Awaitable[int]]
#: By the author's id and the name of the video.
Post = Callable[[int, str], Awaitable[int]]


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with open_pool(database_url) as opened:
        yield opened


@pytest.fixture
def videos(pool: Pool) -> Videos:
    return Videos(pool)


@pytest.fixture
def social(pool: Pool) -> Social:
    return Social(pool)


@pytest.fixture
def join(pool: Pool) -> Join:
    """Makes a user; its id."""

    async def make(username: str) -> int:
        async with pool.transaction() as connection:
            return await users.create(connection, NewUser(username=username))

    return make


@pytest.fixture
def post(pool: Pool, videos: Videos) -> Post:
    """Adds a video; its id."""

    async def add(author: int, name: str) -> int:
        url = f"/media/{name}.mp4"
        assert await videos.add(NewVideo(author, name, url, "", 4.5, 360, 640))
        return int(
            await pool.fetchval("SELECT id FROM videos WHERE video_url = $1", url)
        )

    return add


def names(items: list[Item]) -> list[str]:
    return [item.video.description for item in items]
