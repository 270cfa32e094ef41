"""A pool on a database of the test's own."""

from collections.abc import AsyncIterator

import pytest

from control_plane.store import database
from control_plane.store.database import Pool


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with await database.open_pool(database_url) as pool:
        yield pool
