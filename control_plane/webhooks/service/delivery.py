"""Which endpoints are this process's to deliver to, by lease, and the delivering."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from control_plane.base.database import Pool
from control_plane.base.faults import Away
from control_plane.base.tasks import Loop, stop
from control_plane.events.tail import Tail
from control_plane.webhooks.model.endpoints import Endpoint
from control_plane.webhooks.service.attempts import Attempts
from control_plane.webhooks.service.gate import Over
from control_plane.webhooks.service.pump import Pump
from control_plane.webhooks.store import endpoints

LOOK_EVERY = 2.0  # seconds
AGAIN = 1.0  # seconds
#: The lease as we know it ends before it does in Postgres.
SURE_FOR = endpoints.LEASE.total_seconds() - 3.0


class Delivery:
    def __init__(
        self, pool: Pool, tail: Tail, attempts: Attempts, *, name: str
    ) -> None:
        """``name``: no other process's."""
        self._pool = pool
        self._tail = tail
        self._attempts = attempts
        self._name = name
        self._mine: dict[int, _Delivering] = {}
        self._sure_until = 0.0

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with self._attempts.running():
            try:
                async with Loop("webhooks", self._look, LOOK_EVERY).running():
                    yield
            finally:
                for endpoint_id in list(self._mine):
                    await self._stop(endpoint_id)
                with contextlib.suppress(Away):
                    await endpoints.drop_leases(self._pool, self._name)

    async def _look(self) -> None:
        begin = time.monotonic()
        found = {e.id: e for e in await endpoints.take_leases(self._pool, self._name)}
        self._sure_until = begin + SURE_FOR
        for endpoint_id, running in list(self._mine.items()):
            now = found.get(endpoint_id)
            if now is None or not running.is_as(now):
                await self._stop(endpoint_id)
        for endpoint in found.values():
            if endpoint.id not in self._mine:
                new = _Delivering(self._pool, endpoint, self._pump)
                self._mine[endpoint.id] = new

    async def _stop(self, endpoint_id: int) -> None:
        await self._mine[endpoint_id].stop()
        del self._mine[endpoint_id]  # whoever is stopped meanwhile stops it again

    def _pump(self, endpoint: Endpoint, goes_well: Callable[[], None]) -> Pump:
        return Pump(
            endpoint,
            self._pool,
            self._tail,
            self._attempts,
            self._name,
            is_ours=lambda: time.monotonic() < self._sure_until,
            goes_well=goes_well,
        )


class _Delivering:
    """To one endpoint, until it is stopped."""

    def __init__(
        self,
        pool: Pool,
        endpoint: Endpoint,
        new_pump: Callable[[Endpoint, Callable[[], None]], Pump],
    ) -> None:
        self._pool = pool
        self._endpoint = endpoint
        self._new_pump = new_pump
        self._pump: Pump | None = None
        self._loop = Loop("webhook", self._work, AGAIN)
        self._task = asyncio.create_task(self._loop.run())

    def is_as(self, now: Endpoint) -> bool:
        """But for how far it is."""
        known = self._endpoint
        place, failing = known.position, known.failing_since
        return replace(now, position=place, failing_since=failing) == known

    async def stop(self) -> None:
        await stop([self._task])
        if self._pump is not None:
            with contextlib.suppress(Over, Away):
                await self._pump.save()

    async def _work(self) -> None:
        """From what stands in the table: the turn before may have failed anywhere."""
        now = await endpoints.get(self._pool, self._endpoint.id)
        if now is not None and self.is_as(now):
            self._pump = self._new_pump(now, self._loop.goes_well)
            await self._pump.run()
