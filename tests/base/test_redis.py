"""The connections to Redis."""

from pathlib import Path

import pytest

from control_plane.base.faults import Away
from control_plane.base.redis import BadUrl, Redis, open_redis, pipelined, translated
from tests.support.sentinels import Watched
from tests.support.stack import until


async def test_a_connection_that_the_server_closed_fails_nobody(redis_url: str) -> None:
    """As after a restart: the pool finds out before it is used."""
    async with open_redis(redis_url) as ours, open_redis(redis_url) as another:
        number = await ours.client_id()
        await another.client_kill_filter(_id=str(number), skipme=False)

        async def is_gone() -> bool:
            clients = await another.client_list()
            return str(number) not in {client["id"] for client in clients}

        await until(is_gone)
        assert await pipelined(ours, [("ECHO", "here")]) == ["here"]
        assert await ours.client_id() != number


async def test_sentinels_say_which_server_is_the_primary(server_folder: Path) -> None:
    async with (
        Watched(server_folder).running() as servers,
        open_redis(servers.url) as redis,
    ):
        await redis.set("before", "kept")
        assert await redis.wait(1, 60_000) == 1

        await servers.stop_primary()

        async def takes_writes() -> bool:
            return await _set(redis, "after")

        assert not await takes_writes()
        await until(takes_writes)
        assert await redis.get("before") == "kept"


async def _set(redis: Redis, name: str) -> bool:
    try:
        with translated():
            await redis.set(name, "there")
    except Away:
        return False
    return True


async def test_without_sentinels_it_is_away() -> None:
    async with open_redis("redis+sentinel://127.0.0.1:1/ours") as redis:
        assert not await _set(redis, "anything")


@pytest.mark.parametrize("url", ["redis+sentinel://127.0.0.1", "http://127.0.0.1"])
async def test_an_address_that_cannot_be_meant(url: str) -> None:
    with pytest.raises(BadUrl, match="redis"):
        async with open_redis(url):
            pass
