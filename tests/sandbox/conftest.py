"""The sandbox node alone, with sessions that are soon over."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.contract.node import Node, make_clip, running


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip"))


@pytest_asyncio.fixture
async def node(tmp_path: Path, clip: Path) -> AsyncIterator[Node]:
    async with running("sandbox", tmp_path, clip, "--idle", "1") as started:
        yield started
