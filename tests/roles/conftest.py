from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.roles import Operator


@pytest.fixture
async def operator(
    tmp_path: Path, database_url: str, redis_url: str
) -> AsyncIterator[Operator]:
    found = Operator(tmp_path, database_url, redis_url)
    yield found
    for process in found.started:
        await process.kill()
