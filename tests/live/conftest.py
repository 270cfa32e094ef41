"""The stack that the tests of this folder run on: the sandbox node always, and a real
MediaMTX where MEDIAMTX_BIN names one."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.servers import Numbered
from tests.support.stack import Stack

#: By a mark: one that skips by itself would stop the other kind's stack for it.
KINDS = [
    "sandbox",
    pytest.param(
        "mediamtx",
        marks=pytest.mark.skipif(
            not os.environ.get("MEDIAMTX_BIN"), reason="MEDIAMTX_BIN names no MediaMTX"
        ),
    ),
]


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=KINDS)
async def shared_stack(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    lasting_database_url: str,
    numbered_urls: Numbered,
) -> AsyncIterator[Stack]:
    folder, redis = tmp_path_factory.mktemp("stack"), numbered_urls.take()
    async with Stack(request.param, folder, lasting_database_url, redis) as opened:
        await opened.start()
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def stack(shared_stack: Stack) -> AsyncIterator[Stack]:
    """It runs already, as others left it: with their users and sessions."""
    yield shared_stack
    await shared_stack.tidy()


@pytest_asyncio.fixture(loop_scope="session", params=KINDS)
async def own_stack(
    request: pytest.FixtureRequest, tmp_path: Path, database_url: str, redis_url: str
) -> AsyncIterator[Stack]:
    """Not started yet; the test may do with it what it likes."""
    async with Stack(request.param, tmp_path, database_url, redis_url) as opened:
        yield opened
