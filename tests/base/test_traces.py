"""What is said of Postgres and Redis, also when they refuse something."""

import asyncio
import contextlib
import gc
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from typing import get_args

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from prometheus_client import REGISTRY
from redis.exceptions import RedisError

from control_plane.base import traces
from control_plane.base.database import Pool, open_pool
from control_plane.base.faults import Rejected, Taken
from control_plane.base.redis import Redis, open_redis, pipelined
from tests.support.collector import Collector, Trouble, collector

SECRET = "a-secret-argument"
QUEUE, BATCH, MANY = 64, 16, 500
#: Sent at once, and tried for longer than any test.
SMALL = {
    "OTEL_BSP_MAX_QUEUE_SIZE": f"{QUEUE}",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": f"{BATCH}",
    "OTEL_BSP_SCHEDULE_DELAY": "10",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "600",
}
WORKER = "OtelBatchSpanRecordProcessor"
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


@pytest.mark.parametrize("trouble", get_args(Trouble))
async def test_a_collector_in_trouble_holds_nobody(
    trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs on this event loop: who waited for it here would wait for ever. What is
    kept for it has a bound, and what it never got is counted."""
    monkeypatch.setattr(traces, "SENT_WITHIN", 0.1)
    async with collector(trouble) as found:
        for name, value in (found.env | SMALL).items():
            monkeypatch.setenv(name, value)
        before, kept = _counted(), _kept()
        with traces.exported("api"):
            _end(MANY)
            if trouble != "is away":
                await found.asked.wait()
            _end(MANY)
            assert _kept() - kept <= QUEUE + 2 * BATCH
        assert _counted() == (before[0] + 2 * MANY, before[1])
        # The last ones had their time, and no longer.
        assert trouble != "hangs" or WORKER in [
            one.name for one in threading.enumerate()
        ]


async def test_what_was_sent_is_counted(collected: Collector) -> None:
    ended, sent = _counted()
    with contextlib.ExitStack() as stack:
        stack.enter_context(traces.exported("api"))
        _end(3)
        await asyncio.to_thread(stack.close)
    assert (len(collected.spans), _counted()) == (3, (ended + 3, sent + 3))


def _end(count: int) -> None:
    for _ in range(count):
        with asked():
            pass


def _kept() -> int:
    gc.collect()
    return sum(isinstance(one, ReadableSpan) for one in gc.get_objects())


def _counted() -> tuple[float, float]:
    """Spans that ended, and that a collector took."""
    names = ("ended", "sent")
    told = (f"control_plane_spans_{name}_total" for name in names)
    ended, sent = (REGISTRY.get_sample_value(name) or 0.0 for name in told)
    return ended, sent


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
