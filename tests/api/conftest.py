"""The service with an empty database, for each test."""

from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio
from aiohttp import web

from control_plane.config.settings import Settings
from control_plane.roles.running import RoleName
from control_plane.videos.model.videos import NewVideo
from control_plane.wiring.services import Services, services
from tests.api import town as towns
from tests.api.town import Post, Town
from tests.support.api import API, Account, App, running, settings


@pytest_asyncio.fixture
async def wanted(database_url: str, redis_url: str) -> Settings:
    return settings(database_url, redis_url)


@pytest.fixture
def roles() -> Sequence[RoleName]:
    """What runs, unless a test says otherwise."""
    return API


@pytest_asyncio.fixture
async def app(wanted: Settings, roles: Sequence[RoleName]) -> AsyncIterator[App]:
    async with running(wanted, roles) as opened:
        yield opened


@pytest_asyncio.fixture
async def opened(wanted: Settings) -> AsyncIterator[Services]:
    async with services(wanted) as found:
        yield found


@pytest_asyncio.fixture
async def node(wanted: Settings) -> AsyncIterator[None]:
    """Answers 503, which ends no broadcast; nobody there would."""

    async def unavailable(_request: web.Request) -> web.Response:
        return web.Response(status=503)

    runner = web.AppRunner(web.Application())
    runner.app.router.add_get("/{any:.*}", unavailable)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", wanted.api_port).start()
        yield
    finally:
        await runner.cleanup()


@pytest_asyncio.fixture
async def post(opened: Services) -> Post:
    """Puts a video into the feed; uploads are not served yet."""

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

    return add


@pytest_asyncio.fixture
async def town(node: None, app: App, post: Post, opened: Services) -> Town:
    return await towns.build(app, post, opened)
