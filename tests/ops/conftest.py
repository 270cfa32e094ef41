from collections.abc import AsyncIterator

import pytest

from control_plane.base.database import Pool, open_pool
from tests.support.api import App, running, settings


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with open_pool(database_url) as opened:
        yield opened


@pytest.fixture
async def app(database_url: str, redis_url: str) -> AsyncIterator[App]:
    async with running(settings(database_url, redis_url)) as opened:
        yield opened
