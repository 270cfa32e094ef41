"""Both stores are reached over TLS, and only if their certificates can be trusted."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from control_plane.base import database, redis
from control_plane.base.database import open_pool
from control_plane.base.faults import Away
from control_plane.base.redis import open_redis
from tests.hooks.conftest import Service
from tests.support.certificates import Authority
from tests.support.pgbouncer import needs_pgbouncer, pooled
from tests.support.relay import encrypted
from tests.support.stack import until

pytestmark = needs_pgbouncer


@pytest.fixture
def authority(server_folder: Path) -> Authority:
    return Authority(server_folder)


@pytest.fixture
async def redis_url(redis_url: str, authority: Authority) -> AsyncIterator[str]:
    async with encrypted(redis_url, authority) as url:
        yield url


@pytest.fixture
async def settings(
    authority: Authority, database_url: str, server_folder: Path
) -> AsyncIterator[dict[str, str]]:
    async with pooled(database_url, server_folder, authority) as url:
        yield {"DATABASE_URL": url, "DATABASE_DIRECT_URL": database_url}


async def test_a_broadcast_begins(service: Service) -> None:
    live, _token = await service.go_live()
    await service.publish(live)
    assert await service.status(live) == "live"


async def test_who_cannot_be_trusted_is_not_asked(
    settings: dict[str, str], redis_url: str, tmp_path: Path
) -> None:
    ours = str(Authority(tmp_path).file)
    theirs = redis_url.partition("=")[2]

    postgres_url = settings["DATABASE_URL"]
    await until(lambda: _postgres_answers(postgres_url))
    assert not await _postgres_answers(postgres_url.replace(theirs, ours))
    await until(lambda: _redis_answers(redis_url))
    assert not await _redis_answers(redis_url.replace(theirs, ours))


async def _postgres_answers(url: str) -> bool:
    with contextlib.suppress(Away):
        async with open_pool(url, 1, pooled=True) as pool:
            await database.ping(pool)
            return True
    return False


async def _redis_answers(url: str) -> bool:
    with contextlib.suppress(Away):
        async with open_redis(url) as opened:
            await redis.ping(opened)
            return True
    return False
