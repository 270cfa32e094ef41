"""Which nodes are this process's to look after, by lease, and the looking after.

A node has one owner among the running processes. Two owners for a moment are
harmless: every change is made once.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from control_plane.base.database import Pool
from control_plane.base.faults import Away
from control_plane.base.tasks import Loop, stop
from control_plane.live.model.nodes import Node
from control_plane.live.service.nodes import Nodes
from control_plane.live.service.reconciler import Reconciler
from control_plane.live.store import grants
from control_plane.live.store import nodes as node_store

LEASES_TAKEN_EVERY = 1.0  # seconds


class Owner:
    def __init__(
        self,
        pool: Pool,
        nodes: Nodes,
        reconciler: Reconciler,
        *,
        name: str,
        interval: float,
    ) -> None:
        """``name``: no other process's. ``interval``: seconds from one round's start to
        the next one's."""
        self._pool = pool
        self._nodes = nodes
        self._reconciler = reconciler
        self._name = name
        self._interval = interval
        self._mine: dict[str, asyncio.Task[None]] = {}

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        try:
            async with Loop("leases", self._take_leases, LEASES_TAKEN_EVERY).running():
                yield
        finally:
            await stop(self._mine.values())
            with contextlib.suppress(Away):
                await node_store.drop_leases(self._pool, self._name)

    async def _take_leases(self) -> None:
        """While Postgres is away the last owner goes on."""
        mine = await node_store.take_leases(self._pool, self._name)
        for name in mine:
            self._start(name)
        for name in set(self._mine) - mine:
            await self._stop(name)
        await grants.forget_old(self._pool)

    def _start(self, name: str) -> None:
        if name not in self._mine:
            watch = _Watch(name, self._nodes, self._reconciler)
            loop = Loop("rounds", watch.turn, self._interval, from_start=True)
            self._mine[name] = asyncio.create_task(loop.run())

    async def _stop(self, name: str) -> None:
        await stop([self._mine[name]])
        del self._mine[name]  # whoever is stopped meanwhile stops it again
        self._reconciler.forget(name)


class _Watch:
    """One node that is ours."""

    def __init__(self, name: str, nodes: Nodes, reconciler: Reconciler) -> None:
        self._name = name
        self._nodes = nodes
        self._reconciler = reconciler
        self._node: Node | None = None

    async def turn(self) -> None:
        try:
            self._node = await self._nodes.get(self._name)
            await self._reconciler.round(self._node)
        except Away:
            if self._node is not None:
                await self._reconciler.count_only(self._node)
            raise
