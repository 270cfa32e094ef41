"""What operators scrape of each role: its event loop, its pools, and whether its stores
answer."""

import contextlib
import time
from collections.abc import AsyncIterator
from functools import partial

from prometheus_client import Gauge

from control_plane.base.database import Pool
from control_plane.base.faults import Away
from control_plane.base.tasks import Loop
from control_plane.live.service.stores import Stores
from control_plane.roles.health import health
from control_plane.web.metrics import QUICK, Durations
from control_plane.wiring.services import Services

LOOK_EVERY = 10.0  # seconds
TICK = 0.25  # seconds

LAG = Durations(
    "control_plane_event_loop_lag_seconds",
    "How late a role's event loop woke who slept for a quarter of a second.",
    ("role",),
    QUICK,
)
STORES = Gauge(
    "control_plane_store_up",
    "1 while it answers this role; postgres_writes, redis_writes: and takes writes;"
    " postgres_room: and its disk is not full, as far as it says.",
    ["role", "store"],
)
CONNECTIONS = Gauge(
    "control_plane_pool_connections",
    "To Postgres, of the pool for all or the reserved one: busy, idle, at most.",
    ["role", "pool", "state"],
)
MEMORY = Gauge("control_plane_redis_memory_bytes", "Used by Redis.")
MOST_MEMORY = Gauge("control_plane_redis_memory_limit_bytes", "0: it has none.")
AHEAD = Gauge(
    "control_plane_postgres_clock_ahead_seconds",
    "That Postgres's clock is ahead of ours, or behind (below zero).",
)


class Measured:
    def __init__(self, role: str, all_of_it: Services) -> None:
        self._role = role
        self._pools = {"general": all_of_it.pool, "reserved": all_of_it.reserved}
        # What is the same for all roles one of them asks.
        self._stores = all_of_it.stores if role == "work" else None
        self._health = health(all_of_it)
        self._ticked = time.monotonic()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        for name, pool in self._pools.items():
            self._show_pool(name, pool)
        self._ticked = time.monotonic()
        looks = Loop(f"{self._role}_stores", self._look, LOOK_EVERY)
        ticks = Loop(f"{self._role}_ticks", self._tick, TICK)
        async with looks.running(), ticks.running():
            yield

    def _show_pool(self, name: str, pool: Pool) -> None:
        for number, state in enumerate(("busy", "idle", "most")):
            gauge = CONNECTIONS.labels(self._role, name, state)
            gauge.set_function(partial(_use, pool, number))

    async def _tick(self) -> None:
        now = time.monotonic()
        LAG.add((self._role,), max(0.0, now - self._ticked - TICK))
        self._ticked = now

    async def _look(self) -> None:
        for name, there in (await self._health.answers()).items():
            STORES.labels(self._role, name).set(there)
        if self._stores is not None:
            await self._look_for_all(self._stores)

    async def _look_for_all(self, stores: Stores) -> None:
        writes = STORES.labels(self._role, "postgres_writes")
        try:
            found = await stores.look()
        except Away:
            writes.set(False)
            return
        writes.set(found.takes_writes)
        STORES.labels(self._role, "postgres_room").set(found.has_room)
        STORES.labels(self._role, "redis_writes").set(found.redis_writes)
        AHEAD.set(found.ahead)
        if found.memory is not None:
            MEMORY.set(found.memory.used)
            MOST_MEMORY.set(found.memory.most)


def _use(pool: Pool, number: int) -> float:
    return pool.use[number]
