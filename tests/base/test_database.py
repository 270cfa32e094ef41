"""Connections go from one call to the next; what a call did must not."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from control_plane.base.database import Pool, open_pool
from control_plane.base.faults import Full, Rejected
from tests.support.locks import WAITING
from tests.support.stack import until
from tests.support.statements import counted


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """Of one connection: whoever comes next gets what the last one had."""
    async with open_pool(database_url, 1) as opened:
        yield opened


async def _mark(pool: Pool) -> list[str]:
    rows = await pool.fetch("SELECT key FROM devices")
    return [row["key"] for row in rows]


async def test_a_transaction_that_was_left_open_is_undone(
    pool: Pool, database_url: str
) -> None:
    async with pool.acquire() as connection:
        await connection.execute("BEGIN")
        await connection.execute("INSERT INTO devices (key) VALUES ('left')")

    await pool.execute("INSERT INTO devices (key) VALUES ('next')")

    async with open_pool(database_url, 1) as another:
        assert await _mark(another) == ["next"]


async def test_a_transaction_that_failed_is_over(pool: Pool) -> None:
    async with pool.acquire() as connection:
        await connection.execute("BEGIN")
        with pytest.raises(Rejected):
            await connection.execute("SELECT 1 / 0")

    assert await _mark(pool) == []


async def test_a_full_disk_has_a_name(pool: Pool) -> None:
    """As Postgres raises it; a real one is in tests/ops/test_faults.py."""
    raised = "RAISE disk_full USING MESSAGE = 'could not extend file'"
    with pytest.raises(Full, match="could not extend file"):
        await pool.execute(f"DO $$ BEGIN {raised}; END $$")


async def test_who_goes_away_in_the_middle_leaves_nothing(
    pool: Pool, database_url: str
) -> None:
    by_hand = await asyncpg.connect(database_url)

    async def blocked() -> bool:
        return bool(await by_hand.fetchval(WAITING))

    async def write() -> None:
        async with pool.transaction() as connection:
            await connection.execute("INSERT INTO devices (key) VALUES ('left')")
            await connection.execute("LOCK TABLE users")

    async with by_hand.transaction():
        await by_hand.execute("LOCK TABLE users IN ACCESS SHARE MODE")
        writing = asyncio.create_task(write())
        await until(blocked, pause=0.01)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await pool.execute("INSERT INTO devices (key) VALUES ('next')")
    await by_hand.close()

    assert await _mark(pool) == ["next"]


async def test_a_query_is_one_round_trip(
    database_url: str, server_folder: Path
) -> None:
    async with (
        counted(database_url, server_folder) as postgres,
        open_pool(postgres.url, 1) as pool,
    ):
        await _mark(pool)
        before = postgres.seen
        for _ in range(10):
            await _mark(pool)

        assert postgres.seen - before == 10
