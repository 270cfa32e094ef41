"""The sandbox node alone, with sessions that are soon over."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.contract.node import Node, running


@pytest_asyncio.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    async with running("sandbox", tmp_path, "--idle", "1") as started:
        yield started
