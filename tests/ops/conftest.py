from collections.abc import AsyncIterator

import pytest

from control_plane.base.database import Pool, open_pool
from control_plane.live.service import overview
from tests.support.api import APART_FROM_NODES, App, running, settings


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with open_pool(database_url) as opened:
        yield opened


@pytest.fixture
async def app(database_url: str, redis_url: str) -> AsyncIterator[App]:
    async with running(settings(database_url, redis_url), APART_FROM_NODES) as opened:
        yield opened


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is open is not told from memory, where the metrics' look leaves it."""
    monkeypatch.setattr(overview, "FRESH_FOR", 0.0)
