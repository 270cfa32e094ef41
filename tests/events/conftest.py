"""The log on a database of the test's own."""

from collections.abc import AsyncIterator

import pytest

from control_plane.base.database import Pool, open_pool


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with open_pool(database_url, 20) as opened:
        yield opened


@pytest.fixture
async def owner(owner_url: str) -> AsyncIterator[Pool]:
    """As the role that owns the tables."""
    async with open_pool(owner_url) as opened:
        yield opened


@pytest.fixture
def env(database_url: str, redis_url: str) -> dict[str, str]:
    """For the command line."""
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "CONTROL_PLANE_SECRET": "s" * 32,
    }
