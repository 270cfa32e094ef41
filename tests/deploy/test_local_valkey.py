"""The embedded Valkey."""

import os
import signal
import stat
from pathlib import Path

import psutil
import pytest
import redis.asyncio as redis

from deploy.local.errors import LocalError
from deploy.local.valkey import server, valkey
from tests.support.ports import free_ports


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


async def test_it_keeps_its_data(server_folder: Path, port: int) -> None:
    async with valkey(server_folder, port=port) as url, redis.from_url(url) as client:
        await client.set("kept", "7")
    async with valkey(server_folder, port=port) as url, redis.from_url(url) as client:
        assert await client.get("kept") == b"7"


async def test_it_keeps_nothing_where_that_is_not_wanted(
    server_folder: Path, port: int
) -> None:
    async with (
        valkey(server_folder, port=port, durable=False) as url,
        redis.from_url(url) as client,
    ):
        await client.set("lost", "7")
    async with (
        valkey(server_folder, port=port, durable=False) as url,
        redis.from_url(url) as client,
    ):
        assert await client.get("lost") is None


async def test_it_asks_for_a_password_that_only_we_can_read(
    server_folder: Path, port: int
) -> None:
    async with server(server_folder, port=port, durable=False) as (url, child):
        password = url.split("@")[0].rpartition(":")[2]
        mode = (server_folder / "valkey.conf").stat().st_mode
        assert stat.S_IMODE(mode) == 0o600
        assert password not in " ".join(psutil.Process(child.pid).cmdline())
        async with redis.from_url(url.replace(password, "guessed")) as guest:
            with pytest.raises(redis.AuthenticationError):
                await guest.ping()


async def test_all_that_it_keeps_is_closed_to_others(
    server_folder: Path, port: int
) -> None:
    data = server_folder / "data"
    data.mkdir(mode=0o755)  # as earlier versions made it
    async with valkey(data, port=port) as url, redis.from_url(url) as client:
        await client.set("kept", "7")
    kept = [path for path in data.rglob("*") if not path.name.endswith(".pid")]
    assert any(path.suffix == ".aof" for path in kept)
    for path in (data, *kept):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


async def test_after_a_kill_the_same_port_can_be_had_again(
    server_folder: Path, port: int
) -> None:
    async with server(server_folder, port=port) as (_, child):
        os.kill(child.pid, signal.SIGKILL)
        await child.wait()
    async with valkey(server_folder, port=port) as url, redis.from_url(url) as client:
        assert await client.ping()


async def test_one_that_lost_its_supervisor_is_stopped_by_the_next_start(
    server_folder: Path, port: int
) -> None:
    async with server(server_folder, port=port) as (_, first):
        async with (
            valkey(server_folder, port=port) as url,
            redis.from_url(url) as client,
        ):
            assert await client.ping()
        assert await first.wait() == 0


async def test_a_taken_port_is_explained_by_its_log(
    server_folder: Path, port: int
) -> None:
    async with valkey(server_folder / "one", port=port):
        with pytest.raises(LocalError, match="Address already in use"):
            async with valkey(server_folder / "two", port=port):
                pass
