"""The connections to Redis."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
from redis.asyncio import Redis as Single
from redis.crc import key_slot

from control_plane.base.faults import Away
from control_plane.base.rates import Counters
from control_plane.base.redis import (
    BadUrl,
    Command,
    Redis,
    memory,
    open_redis,
    ping,
    pipelined,
    translated,
    write,
)
from control_plane.base.redis_servers import OPTIONS
from tests.support.cluster import SERVERS, Cluster, held_by
from tests.support.sentinels import Watched
from tests.support.stack import until

AWAY = "redis+sentinel://127.0.0.1:1/ours"


async def test_a_connection_that_the_server_closed_fails_nobody(redis_url: str) -> None:
    """As after a restart: the pool finds out before it is used."""
    async with open_redis(redis_url) as ours, open_redis(redis_url) as another:
        assert isinstance(ours, Single)
        assert isinstance(another, Single)
        number = await ours.client_id()
        await another.client_kill_filter(_id=str(number), skipme=False)

        async def is_gone() -> bool:
            clients = await another.client_list()
            return str(number) not in {client["id"] for client in clients}

        await until(is_gone)
        assert await pipelined(ours, [("ECHO", "here")]) == ["here"]
        assert await ours.client_id() != number


async def test_a_server_that_says_nothing_is_not_asked_by_everybody() -> None:
    """Each of them would wait as long as the first."""
    asked = 0

    async def say_nothing(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        nonlocal asked
        asked += 1
        await reader.read(-1)
        writer.close()

    async def ask() -> None:
        with pytest.raises(Away), translated():
            await pipelined(redis, [("PING",)])

    async def is_asked_again() -> bool:
        await ask()
        return asked > by_the_first

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    async with silent, open_redis(f"redis://127.0.0.1:{port}") as redis:
        await ask()
        by_the_first = asked
        for _ in range(10):
            await ask()
        assert asked == by_the_first
        await until(is_asked_again)


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


async def test_a_cluster_is_asked_where_each_key_is(server_folder: Path) -> None:
    async with (
        Cluster(server_folder).running() as cluster,
        open_redis(cluster.url) as redis,
    ):
        names = [f"key-{number}" for number in range(50)]
        written: list[Command] = [("SET", name, name) for name in names]
        assert all(await pipelined(redis, written))
        assert await pipelined(redis, [("GET", name) for name in names]) == names
        assert (await memory(redis)).used > 0
        await ping(redis)

        await cluster.kill(0)
        with pytest.raises(Away):
            await ping(redis)


async def test_whether_each_of_a_cluster_takes_writes(server_folder: Path) -> None:
    async with (
        Cluster(server_folder).running() as cluster,
        open_redis(cluster.url) as redis,
    ):
        for number in range(SERVERS):
            await write(redis)
            await cluster.refuse_writes(number, on=True)
            with pytest.raises(Away):
                await write(redis)
            await cluster.refuse_writes(number, on=False)


async def test_who_asks_the_others_of_a_cluster_goes_on(
    server_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often one that is away makes it find its servers anew."""
    # Or who waits for an answer asks again meanwhile, and then not any more.
    monkeypatch.setitem(OPTIONS, "socket_timeout", 60.0)
    async with (
        Cluster(server_folder).running() as cluster,
        open_redis(cluster.url) as redis,
    ):
        waited, away = next(held_by(1)), next(held_by(0))
        assert await _knows(redis, away)
        asking = asyncio.create_task(pipelined(redis, [("BRPOP", waited, 0)]))

        await cluster.kill(0)
        assert not await _known(redis, [away] * 3)
        await redis.rpush(waited, "told")
        assert await asking == [(waited, "told")]


async def test_a_cluster_counts_what_the_others_hold(server_folder: Path) -> None:
    """Whoever comes together with those whose server is away."""
    async with (
        Cluster(server_folder).running() as cluster,
        open_redis(cluster.url) as redis,
    ):
        names = [f"user-{number}" for number in range(100)]
        counters = Counters(redis)
        hits = [counters.hit(1, name) for name in (*names, *names)]
        assert sum(await asyncio.gather(*hits)) == len(names)

        await cluster.kill(0)
        hits = [counters.hit(2, name) for name in names]
        told = await asyncio.gather(*hits, return_exceptions=True)
        away = sum(isinstance(one, Away) for one in told)
        assert 0 < away < len(names) / 2
        assert told.count(True) == len(names) - away


async def test_a_cluster_may_have_one_primary(server_folder: Path) -> None:
    async with (
        Cluster(server_folder, servers=1).running() as cluster,
        open_redis(cluster.url) as redis,
    ):
        assert (await memory(redis)).used > 0
        await ping(redis)


async def test_what_the_others_of_a_cluster_hold_is_there(server_folder: Path) -> None:
    """Whichever is away, and also for who comes then."""
    names = ["a", "b", "c"]  # one at each
    async with (
        Cluster(server_folder).running() as cluster,
        open_redis(cluster.url) as redis,
    ):
        for away in range(SERVERS):
            assert await _known(redis, names) == names
            async with _without(cluster, away), open_redis(cluster.url) as another:
                kept = await _known(redis, names)
                assert len(kept) == len(names) - 1
                assert await _known(another, names) == kept


@contextlib.asynccontextmanager
async def _without(cluster: Cluster, number: int) -> AsyncIterator[None]:
    await cluster.kill(number)
    yield
    await cluster.start_again(number)


async def _known(redis: Redis, names: Iterable[str]) -> list[str]:
    """Those that can be written and read."""
    return [name for name in names if await _knows(redis, name)]


async def _knows(redis: Redis, name: str) -> bool:
    try:
        with translated():
            return await pipelined(redis, [("SET", name, ""), ("GET", name)]) == [
                True,
                "",
            ]
    except Away:
        return False


async def test_a_replica_in_a_cluster_takes_over(server_folder: Path) -> None:
    async with (
        Cluster(server_folder).running() as cluster,
        open_redis(cluster.url) as redis,
    ):
        await cluster.add_replica(of=0)
        name = next(held_by(0))
        assert await _set(redis, name)

        await cluster.kill(0)
        await until(lambda: _set(redis, name))


async def test_slots_move_while_they_are_used(server_folder: Path) -> None:
    async with (
        Cluster(server_folder).running() as cluster,
        open_redis(cluster.url) as redis,
    ):
        names = list(itertools.islice(held_by(0), 3))
        times, moved = 0, asyncio.Event()

        async def count() -> None:
            nonlocal times
            while not moved.is_set():
                await pipelined(redis, [("INCR", name) for name in names])
                times += 1

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(count())
            for name in names:
                await cluster.move(key_slot(name.encode()), source=0, target=1)
            moved.set()
        counted = await pipelined(redis, [("GET", name) for name in names])
        assert counted == [str(times)] * len(names)


async def test_a_cluster_that_is_away_keeps_nobody_from_starting() -> None:
    async with open_redis("redis+cluster://127.0.0.1:1") as redis:
        assert not await _set(redis, "anything")
        with pytest.raises(Away):
            await ping(redis)


@pytest.mark.parametrize("where", ["redis+cluster://127.0.0.1:1", AWAY])
async def test_how_long_a_server_may_take_can_be_said(where: str) -> None:
    async with open_redis(f"{where}?socket_timeout=0.5&health_check_interval=3") as one:
        assert not await _set(one, "anything")


async def _set(redis: Redis, name: str) -> bool:
    try:
        with translated():
            await redis.set(name, "there")
    except Away:
        return False
    return True


async def test_without_sentinels_it_is_away() -> None:
    async with open_redis(AWAY) as redis:
        assert not await _set(redis, "anything")


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://127.0.0.1",
        "redis+cluster://127.0.0.1/3",
        "redis+cluster://127.0.0.1?what=1",
        "http://127.0.0.1",
    ],
)
async def test_an_address_that_cannot_be_meant(url: str) -> None:
    with pytest.raises(BadUrl, match="REDIS_URL"):
        async with open_redis(url):
            pass
