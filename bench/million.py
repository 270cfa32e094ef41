"""A million viewers on twenty simulated nodes, counted by one process.

Prints how far the counts are off and how old they are, how long people who leave are
still counted, what Redis and the counting process need, and how long its event loop
is held.
"""

import argparse
import asyncio
import resource
import time
from dataclasses import dataclass, field

import aiohttp
import uvloop

from bench.nodes import Holds, Plan, live_sessions, point_at, simulated
from bench.rounds import reconciler, settings
from bench.servers import stores
from control_plane.base.schema import migrate
from control_plane.live.model.sessions import LiveSession
from control_plane.live.service.owner import Owner
from control_plane.live.store import sessions as session_store
from control_plane.live.store.viewers import ViewerSets
from control_plane.wiring.services import Services, services

NEAR = 0.01
PATIENCE = 300.0  # seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=1_000_000)
    parser.add_argument("--nodes", type=int, default=20)
    parser.add_argument("--sessions", type=int, default=1_000)
    parser.add_argument("--churn", type=float, default=0.005, help="a second")
    parser.add_argument("--seconds", type=float, default=60.0, help="of looking")
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_bench(options))


async def _bench(options: argparse.Namespace) -> None:
    async with stores() as urls:
        await migrate(urls.database)
        async with services(settings(urls)) as opened:
            ids = await live_sessions(opened.pool, options.nodes, options.sessions)
            key = opened.secrets.viewer_tokens()[0]
            readers = options.viewers // options.nodes
            Holds.as_served()
            with simulated(ids, readers, options.churn, key) as plan:
                await point_at(opened.pool, plan)
                await _watch(opened, plan, options.seconds)


async def _watch(opened: Services, plan: Plan, seconds: float) -> None:
    live = await session_store.live(opened.pool, 10**6, 0)
    empty = await _redis_bytes(opened)
    owner = Owner(
        opened.reserved,
        opened.nodes,
        reconciler(opened),
        name="bench",
        interval=opened.settings.reconcile_seconds,
    )
    viewers = plan.readers * len(plan.sessions)
    first = Holds()
    async with owner.running(), opened.attendance.running():
        async with first.watching():
            took = await until_near(opened, live, viewers)
        print(f"{viewers:,} viewers of {len(live):,} sessions on {len(plan.sessions)}")
        print(
            f"  all counted {took:.0f} s after the first look,"
            f" longest hold of the loop {first.longest * 1e3:.0f} ms of CPU"
        )
        await asyncio.sleep(15)
        found = Found(len(live), plan)
        await found.look(opened, live, seconds)
        found.show()
        used = await _redis_bytes(opened) - empty
        print(f"  {used / viewers:.0f} bytes of Redis for each (aim: 200 or less)")
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(f"  {memory / 2**20:.0f} MB of memory in the counting process at most")
        await _leave(plan)
        took = await until_near(opened, live, viewers // 2)
        print(f"  half of them leave: seen {took:.1f} s later (aim: 5 or less)")


@dataclass
class Found:
    """What was seen of the counts while nothing but churn happened."""

    sessions: int
    plan: Plan
    worst: float = 0.0
    oldest: float = 0.0
    cpu: float = 0.0
    holds: Holds = field(default_factory=Holds)

    async def look(
        self, opened: Services, live: list[LiveSession], seconds: float
    ) -> None:
        began, cpu = time.monotonic(), time.process_time()
        async with self.holds.watching():
            while time.monotonic() - began < seconds:
                await self._once(opened, live)
                await asyncio.sleep(1)
        self.cpu = (time.process_time() - cpu) / (time.monotonic() - began)

    async def _once(self, opened: Services, live: list[LiveSession]) -> None:
        expected = self.plan.readers * len(self.plan.sessions)
        counted = sum((await opened.counts.of(live)).values())
        self.worst = max(self.worst, abs(counted / expected - 1))
        sets = ViewerSets(opened.redis)
        looked = [await sets.looked(node) for node in self.plan.sessions]
        self.oldest = max(self.oldest, time.time() - min(one.at for one in looked))

    def show(self) -> None:
        print(f"  off by {self.worst:.2%} at most (aim: 1 % or less)")
        print(f"  {self.oldest:.1f} s old at most (aim: 5 or less)")
        print(f"  {self.cpu:.0%} of a core in the counting process")
        print(f"  longest hold of its loop {self.holds.longest * 1e3:.0f} ms of CPU")


async def until_near(opened: Services, live: list[LiveSession], wanted: int) -> float:
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE:
        counted = sum((await opened.counts.of(live)).values())
        if abs(counted / wanted - 1) <= NEAR:
            return time.monotonic() - began
        await asyncio.sleep(0.1)
    raise SystemExit(f"{counted:,} counted instead of {wanted:,}")


async def _leave(plan: Plan) -> None:
    url = f"http://127.0.0.1:{plan.port}/readers/{plan.readers // 2}"
    async with aiohttp.ClientSession() as http, http.post(url):
        pass


async def _redis_bytes(opened: Services) -> int:
    return int((await opened.redis.info("memory"))["used_memory"])


if __name__ == "__main__":
    main()
