"""The service with an empty database, for each test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from control_plane.config.settings import Settings
from tests.support.api import API, App, running, settings


@pytest_asyncio.fixture
async def wanted(database_url: str, redis_url: str) -> Settings:
    return settings(database_url, redis_url)


@pytest_asyncio.fixture
async def app(wanted: Settings) -> AsyncIterator[App]:
    async with running(wanted, API) as opened:
        yield opened
