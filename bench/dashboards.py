"""50 open dashboards over 1,000 live sessions: how long `/v1/now` takes, what `work`,
which serves it, pays for them, and nodes' calls meanwhile, with and without them, in
slices that take turns.

An auth process and its client have the first core for themselves; all the rest, the
dashboards too, shares the others.
"""

import argparse
import asyncio
import contextlib
import os
import statistics
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import aiohttp

from bench.crowd import watched
from bench.golang import built
from bench.hostile import cores
from bench.load import Load, Slice, client
from bench.servers import auth_role, free_port, service, stores
from control_plane.operators.service import Tokens

EVERY = 2.0  # seconds, as the page asks
SLICE = 5.0  # seconds
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dashboards", type=int, default=50)
    parser.add_argument("--sessions", type=int, default=1_000)
    parser.add_argument("--viewers", type=int, default=20_000)
    parser.add_argument("--rotations", type=int, default=5)
    asyncio.run(_run(parser.parse_args()))


async def _run(options: argparse.Namespace) -> None:
    ours, others = cores()
    os.sched_setaffinity(0, others)
    operators = free_port()
    async with contextlib.AsyncExitStack() as stack:
        name, load = client(stack.enter_context(built()))
        print(f"client: {name}", flush=True)
        urls = await stack.enter_async_context(stores())
        changes = {"CONTROL_PLANE_OPERATOR_PORT": str(operators)}
        public = stack.enter_context(service(urls, "--role", "api", **changes))
        size = options.sessions, options.viewers
        crowd = await stack.enter_async_context(watched(public, urls, *size))
        tokens = Tokens(crowd.opened.pool)
        token = await tokens.create("bench", ["read"], timedelta(days=1))
        os.sched_setaffinity(0, ours)
        auth = stack.enter_context(auth_role(public))
        os.sched_setaffinity(0, others)
        side = Side(load, auth, crowd.request, ours, crowd.work.pid)
        await _compare(side, Wall(operators, token, options.dashboards), options)


@dataclass
class Wall:
    """Dashboards, each of which asks again and again while it is open. What each is
    answered first, after nobody asked for a while, is counted for itself."""

    port: int
    token: str
    count: int
    first: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        headers = {"Authorization": f"Bearer {self.token}"}
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(headers=headers, connector=connector) as http:
            tasks = [
                asyncio.create_task(self._one(http, EVERY * n / self.count))
                for n in range(self.count)
            ]
            try:
                yield
            finally:
                for one in tasks:
                    one.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _one(self, http: aiohttp.ClientSession, later: float) -> None:
        await asyncio.sleep(later)
        taken = self.first
        while True:
            begin = time.perf_counter()
            async with http.get(f"http://127.0.0.1:{self.port}/v1/now") as response:
                response.raise_for_status()
                await response.read()
            taken.append(time.perf_counter() - begin)
            taken = self.again
            await asyncio.sleep(EVERY)


@dataclass(frozen=True)
class Side:
    load: Load
    port: int
    request: bytes
    cores: set[int]
    work: int  # process id

    async def slice(self) -> tuple[Slice, float]:
        """And the part of a core that `work` took."""
        begin, cpu = time.monotonic(), self._cpu()
        found = await asyncio.to_thread(self._load)
        return found, (self._cpu() - cpu) / (time.monotonic() - begin)

    def _load(self) -> Slice:
        os.sched_setaffinity(0, self.cores)  # this thread, and what it starts
        return self.load(self.port, self.request, 1, SLICE)

    def _cpu(self) -> float:
        said = Path(f"/proc/{self.work}/stat").read_text().rpartition(")")[2].split()
        return (int(said[11]) + int(said[12])) / TICKS


async def _compare(side: Side, wall: Wall, options: argparse.Namespace) -> None:
    await side.slice()
    pairs = []
    for _ in range(options.rotations):
        quiet = await side.slice()
        async with wall.open():
            pairs.append((quiet, await side.slice()))
    answers = len(wall.first) + len(wall.again)
    print(f"\n{wall.count} dashboards, {answers} answers of /v1/now")
    print(f"  while open   {_of(wall.again)}  (aim: p99 50 or less)")
    print(f"  the first    {_of(wall.first)}")
    more = statistics.median(b[1] - a[1] for a, b in pairs)
    print(f"  {more:.0%} of a core more in work  (aim: 20 or less)")
    ratio = statistics.median(
        b[0].quantile(0.99) / a[0].quantile(0.99) for a, b in pairs
    )
    print(f"  auth's p99 {ratio:.2f} of what it is without them  (aim: 1.2 or less)")


def _of(latencies: list[float]) -> str:
    taken = sorted(latencies)
    p50, p99 = (taken[int(len(taken) * part)] * 1e3 for part in (0.5, 0.99))
    return f"p50 {p50:.1f} ms   p99 {p99:.1f} ms"


if __name__ == "__main__":
    main()
