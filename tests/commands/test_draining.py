"""A node that is told to go: nobody new, and nobody cut."""

import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from control_plane.base.database import Pool, open_pool
from deploy.local.place import Urls
from tests.support.commands import command
from tests.support.money import end_session, new_session, new_user
from tests.support.process import Process
from tests.support.stack import until

OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture
def env(database_url: str, redis_url: str) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "CONTROL_PLANE_SECRET": "s" * 32,
    }


async def _draining(pool: Pool) -> bool:
    return bool(await pool.fetchval("SELECT draining FROM nodes"))


async def test_drain_says_when_broadcasts_are_over(
    env: dict[str, str], database_url: str
) -> None:
    async with open_pool(database_url) as pool:
        session = await new_session(pool, await new_user(pool))
        said = await command(env, "nodes", "drain", "node", "--wait", "0.01")
        assert said.exit_code == 1
        assert "1 still use node" in said.output
        assert await _draining(pool)
        await end_session(pool, session)
        said = await command(env, "nodes", "drain", "node", "--wait", "60")
        assert said.exit_code == 0


@contextlib.asynccontextmanager
async def keeping(env: dict[str, str], log: Path) -> AsyncIterator[Process]:
    """`nodes keep`, which says what it does in `log`."""
    words = ("-m", "control_plane", "nodes", "keep", "node")
    keep = await Process.start(log, sys.executable, *words, env=os.environ | env)
    try:
        await says(keep, "takes sessions")
        yield keep
    finally:
        await keep.stop()


async def says(keep: Process, text: str) -> None:
    async def said() -> bool:
        assert keep.running, keep.log.read_text()
        return text in keep.log.read_text()

    await until(said)


async def test_keep_takes_sessions_until_it_is_told_to_go(
    env: dict[str, str], database_url: str, tmp_path: Path
) -> None:
    async with open_pool(database_url) as pool:
        session = await new_session(pool, await new_user(pool))
        await pool.execute("UPDATE nodes SET draining = true")
        async with keeping(env, tmp_path / "log") as keep:
            assert not await _draining(pool)
            keep.process.terminate()
            await says(keep, "is draining")
            assert await _draining(pool)
            await end_session(pool, session)
            assert await keep.ended() == 0


async def test_keep_stays_while_postgres_cannot_be_told(
    env: dict[str, str], database: Urls, tmp_path: Path
) -> None:
    async with open_pool(database.owner) as owner:
        session = await new_session(owner, await new_user(owner))
        name = await owner.fetchval("SELECT current_database()")
        only_reading = f"ALTER DATABASE {name} SET default_transaction_read_only"
        async with keeping(env, tmp_path / "log") as keep:
            await owner.execute(f"{only_reading} = on")
            await owner.execute(OTHERS)
            keep.process.terminate()
            await says(keep, "node stays: Postgres does not answer")
            await owner.execute("SET default_transaction_read_only = off")
            await owner.execute(f"{only_reading} = off")
            await says(keep, "is draining")
            assert await _draining(owner)
            await end_session(owner, session)
            assert await keep.ended() == 0
