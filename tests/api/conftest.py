"""The service with an empty database, for each test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support_api import App, running, settings


@pytest_asyncio.fixture
async def app(database_url: str, redis_url: str) -> AsyncIterator[App]:
    async with running(settings(database_url, redis_url)) as opened:
        yield opened
