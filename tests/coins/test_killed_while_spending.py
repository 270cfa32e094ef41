"""`kill -9` at any step of a gift or purchase leaves nothing half done."""

import asyncio
import os
import random
import sys
from pathlib import Path

from control_plane.base.database import Pool
from control_plane.coins.service.audit import Audit
from deploy.local.folder import CHECKOUT
from tests.support.money import kinds, new_session, new_user
from tests.support.process import Process
from tests.support.stack import until

ROUNDS = 6
SPENDER = Path(__file__).with_name("spender.py")


async def test_a_killed_process_leaves_nothing_half_done(
    pool: Pool, database_url: str, tmp_path: Path
) -> None:
    star = await new_user(pool)
    session = await new_session(pool, star)
    givers = [await new_user(pool, 60) for _ in range(5)]
    said: list[str] = []
    for number in range(ROUNDS):
        log = tmp_path / f"{number}.log"
        process = await Process.start(
            log,
            *(sys.executable, str(SPENDER), database_url, str(number)),
            *(str(session), ",".join(map(str, givers))),
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        )
        await _begun(log, process)
        await asyncio.sleep(random.uniform(0.0, 0.1))  # noqa: S311  (any moment)
        await process.kill()
        said += _printed(log)
    await _no_backends(pool)
    assert [one for one in await Audit(pool).check() if one.faults] == []
    await _all_there(pool, said)
    events = await kinds(pool, "session", session)
    assert len(events) == await pool.fetchval("SELECT count(*) FROM gift_transactions")


def _printed(log: Path) -> list[str]:
    return log.read_text().splitlines()


async def _begun(log: Path, process: Process) -> None:
    async def look() -> bool:
        printed = _printed(log)
        assert process.running, printed
        return any(line.startswith("gift") for line in printed)

    await until(look, pause=0.01)


async def _no_backends(pool: Pool) -> None:
    """Until Postgres has noticed that the last process is gone."""

    async def look() -> bool:
        waiting = await pool.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND state <> 'idle'"
        )
        return bool(waiting == 0)

    await until(look)


async def _all_there(pool: Pool, said: list[str]) -> None:
    """What was answered is kept."""
    for kind, table in (("gift", "gift_transactions"), ("purchase", "purchases")):
        ids = [int(line.split()[1]) for line in said if line.startswith(f"{kind} ")]
        found = await pool.fetchval(
            f"SELECT count(*) FROM {table} WHERE id = ANY($1)",  # noqa: S608
            ids,
        )
        assert found == len(ids) > 0
