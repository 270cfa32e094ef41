"""What is said of Postgres and Redis, also when they refuse something."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
from redis.exceptions import RedisError

from control_plane.base import traces
from control_plane.base.database import Pool, open_pool
from control_plane.base.faults import Rejected, Taken
from control_plane.base.redis import Redis, open_redis, pipelined
from tests.support.collector import Collector, collector

SECRET = "a-secret-argument"
TWICE = "INSERT INTO one VALUES ($1), ($1)"

OURS = (
    "opentelemetry.exporter",
    "opentelemetry.sdk.trace",
    "control_plane.base.tracing",
)
IMPORTED = """
import sys
import control_plane.__main__, control_plane.roles.running
from control_plane.base import traces
with traces.exported("api"):
    print([name for name in sys.modules if name.startswith(%r)])
"""


def test_nothing_of_it_is_imported_where_it_is_not_configured() -> None:
    """redis-py imports what counts wherever that is installed, and nothing else."""
    program = [sys.executable, "-c", IMPORTED % (OURS,)]
    done = subprocess.run(program, check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


@pytest.fixture
async def collected(
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Collector]:
    async with collector() as found:
        for name, value in found.env.items():
            monkeypatch.setenv(name, value)
        yield found


async def test_statements_are_told_and_no_argument(
    collected: Collector, database_url: str, redis_url: str
) -> None:
    async with open_traced(database_url, redis_url) as (pool, redis):
        await pool.fetchval("SELECT 'nobody asked'")
        with asked():
            await pool.fetchval("SELECT  $1::text", SECRET)
            await redis.set(SECRET, SECRET)
            await pipelined(redis, [("GET", SECRET), ("GET", SECRET)])
    [asking] = collected.named("asked")
    told = [(one.name, one.failed) for one in collected.inside(asking)]
    assert told == [("SELECT", False), ("SET", False), ("PIPELINE", False)]
    [query] = collected.named("SELECT")
    assert query.said["db.query.text"] == "SELECT $1::text"
    assert SECRET not in collected.text


async def test_errors_are_told_by_kind_and_not_what_they_quote(
    collected: Collector, database_url: str, redis_url: str
) -> None:
    async with open_traced(database_url, redis_url) as (pool, redis):
        await redis.set("text", "1")
        with asked():
            async with pool.acquire() as connection:
                await connection.execute("CREATE TEMP TABLE one (word text UNIQUE)")
                with pytest.raises(Taken, match=SECRET):
                    await connection.execute(TWICE, SECRET)
            with pytest.raises(Rejected, match=SECRET):
                await pool.fetchval("SELECT $1::int", SECRET)
            with pytest.raises(RedisError, match=SECRET):
                await pipelined(redis, [("LPUSH", "text", SECRET)])
    bad = [(one.name, one.said["error.type"]) for one in collected.spans if one.failed]
    assert bad == [
        ("INSERT", "UniqueViolationError"),
        ("SELECT", "DataError"),
        ("PIPELINE", "ResponseError"),
    ]
    assert SECRET not in collected.text


@contextlib.asynccontextmanager
async def open_traced(
    database_url: str, redis_url: str
) -> AsyncIterator[tuple[Pool, Redis]]:
    """The collector has all when this ends."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(traces.exported("api"))
        async with open_pool(database_url) as pool, open_redis(redis_url) as redis:
            yield pool, redis
        # It waits for our own event loop to answer.
        await asyncio.to_thread(stack.close)


def asked() -> contextlib.AbstractContextManager[None]:
    tracing = traces.current()
    assert tracing is not None
    return tracing.inside(tracing.serves("asked"))
