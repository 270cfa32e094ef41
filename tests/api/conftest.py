"""The service with an empty database, for each test."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest_asyncio

from control_plane.config.settings import Settings
from control_plane.videos.model.videos import NewVideo
from control_plane.wiring.services import services
from tests.support.api import Account, App, running, settings

Post = Callable[[Account, str], Awaitable[None]]


@pytest_asyncio.fixture
async def wanted(database_url: str, redis_url: str) -> Settings:
    return settings(database_url, redis_url)


@pytest_asyncio.fixture
async def app(wanted: Settings) -> AsyncIterator[App]:
    async with running(wanted) as opened:
        yield opened


@pytest_asyncio.fixture
async def post(wanted: Settings) -> AsyncIterator[Post]:
    """Puts a video into the feed; uploads are not served yet."""
    async with services(wanted) as opened:

        async def add(author: Account, name: str) -> None:
            await opened.videos.add(
                NewVideo(
                    user_id=author.id,
                    description=name,
                    video_url=f"/media/{name}.mp4",
                    thumbnail_url=f"https://cdn.example.com/{name}.jpg",
                    duration=4.5,
                    width=360,
                    height=640,
                )
            )

        yield add
