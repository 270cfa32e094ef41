"""Which of several servers we connect to."""

import contextlib
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from control_plane.base.database import open_pool
from control_plane.base.faults import Away, Silent
from control_plane.base.hosts import connect
from tests.support.relay import by_port
from tests.support.servers import on_server

PID = "SELECT pg_backend_pid()"


def _url(*ports: int | None, database: str = "/nowhere") -> str:
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
    login = "control_plane_owner:p%40ssword"
    return f"postgresql://{login}@{hosts}{database}?sslmode=disable"


@contextlib.contextmanager
def _silent() -> Iterator[int]:
    """Takes connections and says nothing, as a machine that hangs."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


async def test_a_host_that_says_nothing_is_passed_over(owner_url: str) -> None:
    with _silent() as silent:
        async with by_port(owner_url) as there:
            good = urlsplit(there)
            url = _url(silent, good.port, database=good.path)
            async with open_pool(url, 1) as pool:
                assert await pool.fetchval("SELECT 7") == 7


async def test_a_host_that_takes_no_writes_is_passed_over(owner_url: str) -> None:
    async with by_port(owner_url) as there:
        good = urlsplit(there)
        name = good.path.strip("/")
        closed = f"ALTER DATABASE {name} SET default_transaction_read_only = on"
        await on_server(owner_url, closed)
        with pytest.raises(Away, match="read-write"):
            await connect(_url(good.port, good.port, database=good.path))


async def test_each_host_says_what_is_wrong_and_no_password_is_told() -> None:
    with _silent() as silent, pytest.raises(Away) as raised:
        await connect(_url(silent, silent), within=0.1)

    assert str(raised.value).count(f"127.0.0.1:{silent}: TimeoutError") == 2
    assert "ssword" not in str(raised.value)


async def test_a_slow_query_costs_connections_only_where_there_are_others(
    database_url: str, owner_url: str
) -> None:
    async with by_port(owner_url) as there:
        good = urlsplit(there)
        several = _url(good.port, good.port, database=good.path)
        for url, stays in ((database_url, True), (several, False)):
            async with open_pool(url, 1) as pool:
                before = await pool.fetchval(PID)
                with pytest.raises(Silent):
                    async with pool.acquire() as connection:
                        await connection.fetchval("SELECT pg_sleep(60)", within=0.01)

                assert (await pool.fetchval(PID) == before) is stays
