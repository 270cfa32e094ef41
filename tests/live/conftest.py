"""The stack that the tests of this folder run on: the sandbox node always, and a real
MediaMTX where MEDIAMTX_BIN names one."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.stack import Stack

KINDS = ["sandbox", "mediamtx"]


@pytest.fixture(params=KINDS)
async def stack(
    request: pytest.FixtureRequest, tmp_path: Path, database_url: str, redis_url: str
) -> AsyncIterator[Stack]:
    if request.param == "mediamtx" and not os.environ.get("MEDIAMTX_BIN"):
        pytest.skip("MEDIAMTX_BIN names no MediaMTX")
    async with Stack(request.param, tmp_path, database_url, redis_url) as opened:
        yield opened
