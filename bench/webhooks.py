"""Webhooks to twenty endpoints: how soon after the commit, and how many a second,
against a bare aiohttp client that posts the same message to the same receiver."""

import argparse
import asyncio
import contextlib
import os
import statistics
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from bench.servers import service, stores
from control_plane.base.database import Pool, open_pool
from control_plane.base.schema import migrate
from control_plane.events import store
from control_plane.events.log import append_user_events
from control_plane.webhooks.model.endpoints import Wish
from control_plane.webhooks.service.gate import TOGETHER
from control_plane.webhooks.store import endpoints

HOST = "127.0.0.1"
SETTLE = 3.0  # seconds for the service to take its endpoints


@dataclass
class Receiver:
    """Takes everything; by number of the event, when."""

    url: str = ""
    body: bytes = b""
    came: dict[int, list[float]] = field(default_factory=dict)
    count: int = 0
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.Response:
        self.body = await request.read()
        number = int(request.headers.get("webhook-id", "evt_0")[4:])
        self.came.setdefault(number, []).append(time.perf_counter())
        self.count += 1
        self._came.set()
        return web.Response()

    async def gets(self, count: int) -> None:
        while self.count < count:
            self._came.clear()
            await self._came.wait()


@contextlib.asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    found, app = Receiver(), web.Application()
    app.router.add_post("/", found.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    found.url = f"http://{HOST}:{runner.addresses[0][1]}/"
    try:
        yield found
    finally:
        await runner.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoints", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=5.0, help="of the steady load")
    parser.add_argument("--rate", type=float, default=25.0, help="events a second")
    parser.add_argument("--backlog", type=int, default=200, help="events at once")
    asyncio.run(_bench(parser.parse_args()))


async def _bench(options: argparse.Namespace) -> None:
    os.environ["CONTROL_PLANE_WEBHOOK_NETWORKS"] = HOST
    async with stores() as urls, receiving() as receiver:
        await migrate(urls.database)
        async with open_pool(urls.database) as pool:
            users = [await _user(pool) for _ in range(50)]
            for _ in range(options.endpoints):
                await _add(pool, receiver.url)
            with service(urls):
                await asyncio.sleep(SETTLE)
                await _steady(pool, receiver, users, options)
                ours = await _backlog(pool, receiver, users, options)
        bare = await _bare(receiver, options)
    print(f"  ratio: {ours / bare:.2f} of the bare client's rate")


async def _steady(
    pool: Pool, receiver: Receiver, users: list[int], options: argparse.Namespace
) -> None:
    committed: dict[int, float] = {}
    begin, count = time.perf_counter(), int(options.seconds * options.rate)
    before = receiver.count
    for number in range(count):
        await asyncio.sleep(begin + number / options.rate - time.perf_counter())
        await _write(pool, [users[number % len(users)]])
        last = await pool.fetchval("SELECT max(id) FROM events")
        committed[last] = time.perf_counter()
    await receiver.gets(before + count * options.endpoints)
    waits = sorted(
        1e3 * (came - at) for i, at in committed.items() for came in receiver.came[i]
    )
    print(
        f"webhooks, {options.endpoints} endpoints, {options.rate:.0f} events a second"
    )
    print(f"  commit to receiver   p50 {statistics.median(waits):6.1f} ms", end="")
    print(f"   p99 {waits[int(len(waits) * 0.99)]:6.1f} ms")


async def _backlog(
    pool: Pool, receiver: Receiver, users: list[int], options: argparse.Namespace
) -> float:
    """Deliveries a second."""
    wanted = receiver.count + options.backlog * options.endpoints
    written = await _rows_written(pool)
    begin = time.perf_counter()
    many = [users[number % len(users)] for number in range(options.backlog)]
    await _write(pool, many)
    await receiver.gets(wanted)
    seconds = time.perf_counter() - begin
    rate: float = options.backlog * options.endpoints / seconds
    await asyncio.sleep(2.0)  # the delivery log, and Postgres's own counters
    rows = await _rows_written(pool) - written - 2 * options.backlog
    print(f"  backlog of {options.backlog} events: {rate:8.0f} deliveries a second,")
    print(f"  {rows / options.backlog / options.endpoints:.2f} rows written for each")
    return rate


async def _bare(receiver: Receiver, options: argparse.Namespace) -> float:
    left: int = options.backlog * options.endpoints
    body, begin = receiver.body, time.perf_counter()

    async def post(http: aiohttp.ClientSession) -> None:
        nonlocal left
        while left > 0:
            left -= 1
            async with http.post(receiver.url, data=body) as response:
                await response.read()

    total = left
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http:
        await asyncio.gather(*(post(http) for _ in range(TOGETHER)))
    rate = total / (time.perf_counter() - begin)
    print(
        f"  bare aiohttp client: {rate:8.0f} posts a second, in the receiver's process"
    )
    return rate


async def _rows_written(pool: Pool) -> int:
    return int(
        await pool.fetchval(
            "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables"
        )
    )


async def _write(pool: Pool, users: list[int]) -> None:
    happened = [(user, {"coin": 10, "reason": "a benchmark"}) for user in users]
    async with pool.transaction() as connection:
        await append_user_events(connection, "coins.bonus", happened)


async def _add(pool: Pool, url: str) -> None:
    endpoint_id = await endpoints.add(pool, Wish(url), await store.end(pool), "")
    await endpoints.switch_on(pool, endpoint_id, url, None)


async def _user(pool: Pool) -> int:
    return int(await pool.fetchval("INSERT INTO users DEFAULT VALUES RETURNING id"))


if __name__ == "__main__":
    main()
