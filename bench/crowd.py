"""Nodes' calls while `work` reads a node with 100,000 viewers: auth's p50 and p99, with
`work` at its rounds and held (SIGSTOP), in slices that take turns.

An auth process and the client have the first core for themselves; `work`, the simulated
node, Postgres and Redis share the others.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import statistics
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from bench.golang import built
from bench.hostile import CALLERS, cores
from bench.load import Load, Slice, client, median
from bench.million import until_near
from bench.node_calls import read_call
from bench.nodes import live_sessions, point_at, simulated
from bench.rounds import settings
from bench.servers import Service, Stores, api_role, auth_role, stores, work_role
from control_plane.live.store import sessions as session_store
from control_plane.wiring.services import Services, services

NODE = "n0"
CHURN = 0.005  # of the viewers, a second


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--viewers", type=int, default=100_000)
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--rotations", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each slice")
    asyncio.run(_run(parser.parse_args()))


async def _run(options: argparse.Namespace) -> None:
    ours, others = cores()
    os.sched_setaffinity(0, others)
    with built() as programs:
        name, load = client(programs)
        print(f"client: {name}", flush=True)
        async with stores() as urls:
            with api_role(urls) as public:
                size = options.sessions, options.viewers
                async with watched(public, urls, *size) as crowd:
                    os.sched_setaffinity(0, ours)
                    with auth_role(public) as port:
                        measured = Measured(load, port, crowd, options.seconds)
                        await asyncio.to_thread(measured.rotate, options.rotations)


@dataclass(frozen=True)
class Crowd:
    """A node's viewers, all counted. ``request``: of one more."""

    opened: Services
    work: "subprocess.Popen[bytes]"
    request: bytes

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Nobody reads the node meanwhile."""
        self.work.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.work.send_signal(signal.SIGCONT)


@contextlib.asynccontextmanager
async def watched(
    public: Service, urls: Stores, sessions: int, viewers: int
) -> AsyncIterator[Crowd]:
    async with services(settings(urls, public.secret)) as opened:
        ids = await live_sessions(opened.pool, 1, sessions)
        request = read_call(public, f"live/{ids[NODE][0]}", NODE)
        key = opened.secrets.viewer_tokens()[0]
        with simulated(ids, viewers, CHURN, key) as plan:
            await point_at(opened.pool, plan)
            live = await session_store.live(opened.pool, 10**6, 0)
            with work_role(public) as work:
                await until_near(opened, live, viewers)
                yield Crowd(opened, work, request)


@dataclass(frozen=True)
class Measured:
    load: Load
    port: int
    crowd: Crowd
    seconds: float

    def rotate(self, rotations: int) -> None:
        for clients in CALLERS:
            self._slice(clients)
            pairs = []
            for _ in range(rotations):
                with self.crowd.held():
                    quiet = self._slice(clients)
                pairs.append((quiet, self._slice(clients)))
            _report(clients, pairs)

    def _slice(self, clients: int) -> Slice:
        return self.load(self.port, self.crowd.request, clients, self.seconds)


def _report(clients: int, pairs: list[tuple[Slice, Slice]]) -> None:
    print(f"\nauth, {clients} at once, {len(pairs)} rotations")
    for name, slices in zip(
        ("work held", "it reads"), zip(*pairs, strict=True), strict=True
    ):
        p50 = median(slices, lambda one: one.quantile(0.5)) * 1e6
        p99 = median(slices, lambda one: one.quantile(0.99)) * 1e6
        print(f"  {name:10} p50 {p50:6.0f} µs   p99 {p99:6.0f} µs")
    ratio = statistics.median(b.quantile(0.99) / a.quantile(0.99) for a, b in pairs)
    print(f"  p99 ratio {ratio:.2f}  (aim: 2 or less)", flush=True)


if __name__ == "__main__":
    main()
