"""A node that is told to go: nobody new, and nobody cut."""

import os
import sys
from pathlib import Path

import pytest

from control_plane.base.database import Pool, open_pool
from tests.support.commands import command
from tests.support.money import end_session, new_session, new_user
from tests.support.process import Process
from tests.support.stack import until


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


async def test_keep_takes_sessions_until_it_is_told_to_go(
    env: dict[str, str], database_url: str, tmp_path: Path
) -> None:
    async with open_pool(database_url) as pool:
        session = await new_session(pool, await new_user(pool))
        await pool.execute("UPDATE nodes SET draining = true")
        words = ("-m", "control_plane", "nodes", "keep", "node")
        log = tmp_path / "log"
        keep = await Process.start(log, sys.executable, *words, env=os.environ | env)

        async def says(text: str) -> bool:
            assert keep.running, log.read_text()
            return text in log.read_text()

        try:
            await until(lambda: says("takes sessions"))
            assert not await _draining(pool)
            keep.process.terminate()
            await until(lambda: says("is draining"))
            assert await _draining(pool)
            await end_session(pool, session)
            assert await keep.ended() == 0
        finally:
            await keep.stop()
