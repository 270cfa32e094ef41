"""What the fixtures of tests/conftest.py promise."""

import asyncio
import json
import sys

import asyncpg
import psutil
import pytest
import redis.asyncio as redis

from tests.support import servers


@pytest.mark.parametrize("turn", [1, 2])
async def test_each_test_has_a_migrated_database_of_its_own(
    owner_url: str, turn: int
) -> None:
    connection = await asyncpg.connect(owner_url)
    try:
        await connection.execute("CREATE TABLE left_behind ()")
        applied = await connection.fetchval("SELECT count(*) FROM schema_migrations")
        assert applied > 0
    finally:
        await connection.close()


@pytest.mark.parametrize("turn", [1, 2])
async def test_each_test_has_an_empty_valkey_database(
    redis_url: str, turn: int
) -> None:
    client = redis.from_url(redis_url)
    try:
        assert await client.dbsize() == 0
        await client.set("left", "behind")
    finally:
        await client.aclose()


def test_what_runs_on_keeps_its_valkey_database_to_itself() -> None:
    some = servers.Numbered("abc")
    taken = some.take()
    lent = set()
    for _ in range(6):
        with some.lent() as url:
            lent.add(url)
    assert lent == {*"abc"} - {taken}


async def test_the_role_of_the_tests_is_no_superuser(empty_database_url: str) -> None:
    connection = await asyncpg.connect(empty_database_url)
    try:
        assert await connection.fetchval("SHOW is_superuser") == "off"
    finally:
        await connection.close()


async def test_the_servers_end_with_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed run leaves nothing but the end of their input."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", servers.__file__),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert json.loads(await process.stdout.readline())
    below = psutil.Process(process.pid).children(recursive=True)
    assert len(below) >= 2
    process.stdin.close()
    assert await process.wait() == 0
    assert psutil.wait_procs(below, timeout=30.0)[1] == []
