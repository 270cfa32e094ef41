"""What a round over one node costs: 1,000 live sessions and 20,000 viewers, against
plain json.loads of the same pages, fetched the same way.

Rounds and yardstick alternate; medians of all rotations are printed, in CPU time.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from functools import partial

import aiohttp
import uvloop

from bench.nodes import Holds, Plan, live_sessions, point_at, simulated
from bench.servers import Stores, stores
from control_plane.base.schema import migrate
from control_plane.config.settings import Settings
from control_plane.live.service.reconciler import Reconciler
from control_plane.wiring.services import Services, services
from mediamtx.client import CONNECTIONS_PER_PAGE

NODE = "n0"
LISTS = ("paths", "rtmpconns")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rotations", type=int, default=10)
    parser.add_argument("--sessions", type=int, default=1_000)
    parser.add_argument("--viewers", type=int, default=20_000)
    parser.add_argument("--churn", type=float, default=0.01, help="a second")
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_bench(options))


async def _bench(options: argparse.Namespace) -> None:
    async with stores() as urls:
        await migrate(urls.database)
        async with services(settings(urls)) as opened, aiohttp.ClientSession() as http:
            ids = await live_sessions(opened.pool, 1, options.sessions)
            key = opened.secrets.viewer_tokens()[0]
            Holds.as_served()
            with simulated(ids, options.viewers, options.churn, key) as plan:
                await point_at(opened.pool, plan)
                await _compare(opened, http, plan, options.rotations)


def settings(urls: Stores, secret: str = "s" * 32) -> Settings:
    return Settings.model_validate(
        {"DATABASE_URL": urls.database, "REDIS_URL": urls.redis, "secret": secret}
    )


def reconciler(opened: Services) -> Reconciler:
    return Reconciler(
        opened.reserved,
        opened.nodes,
        opened.lifecycle,
        opened.counting,
        opened.measuring,
        peppers=opened.secrets.key_peppers(),
    )


async def _compare(
    opened: Services, http: aiohttp.ClientSession, plan: Plan, rotations: int
) -> None:
    a_round = partial(_round, opened, reconciler(opened))
    yardstick = partial(_loads, http, plan)
    for _ in range(6):  # until everybody is confirmed, and known to be there
        await a_round()
        await asyncio.sleep(2)
    holds = Holds()
    asked = await _asked(opened)
    ours, others = [], []
    for _ in range(rotations):
        await asyncio.sleep(1)
        async with holds.watching():
            ours.append(await _cpu(a_round))
        others.append(await _cpu(yardstick))
    statements, trips = (
        (after - before) / rotations
        for before, after in zip(asked, await _asked(opened), strict=True)
    )
    readers, sessions = plan.readers, len(plan.sessions[NODE])
    median = statistics.median(ours)
    ratio = statistics.median(a / b for a, b in zip(ours, others, strict=True))
    print(f"\na round, {sessions:,} sessions, {readers:,} viewers, {rotations} times")
    print(f"  control plane   {median * 1e3:7.1f} ms of CPU (aim: 300 or less)")
    print(f"  json.loads      {statistics.median(others) * 1e3:7.1f} ms of CPU")
    print(f"  ratio: {ratio:.2f} times plain json.loads of the same pages")
    print(
        f"  {statements:.0f} transactions in Postgres, {trips:.0f} round trips to Redis"
    )
    print(f"  longest hold of the loop {holds.longest * 1e3:.1f} ms")


async def _round(opened: Services, one: Reconciler) -> None:
    await one.round(await opened.nodes.get(NODE))


async def _loads(http: aiohttp.ClientSession, plan: Plan) -> None:
    pages = -(-plan.readers // CONNECTIONS_PER_PAGE)
    for name in (*LISTS, *["hlssessions"] * pages):
        page = f"itemsPerPage={CONNECTIONS_PER_PAGE}&page=0"
        async with http.get(f"{plan.url(NODE)}/v3/{name}/list?{page}") as response:
            json.loads(await response.read())


async def _cpu(work: Callable[[], Awaitable[None]]) -> float:
    before = time.process_time()
    await work()
    return time.process_time() - before


async def _asked(opened: Services) -> tuple[int, int]:
    """Transactions of Postgres and what Redis read of its connections so far."""
    await opened.pool.execute("SELECT pg_stat_force_next_flush()")
    done = await opened.pool.fetchval(
        "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
    )
    stats = await opened.redis.info("stats")
    return int(done), int(stats["total_reads_processed"])


if __name__ == "__main__":
    main()
