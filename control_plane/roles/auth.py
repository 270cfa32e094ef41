"""The role that nodes talk to: auth calls and hooks, and nothing else."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from control_plane.base.tasks import AGAIN, Loop
from control_plane.config.settings import Settings
from control_plane.live.service.authorize import Authorizer
from control_plane.live.service.grants import Grants
from control_plane.live.service.nodes import Nodes
from control_plane.live.service.permissions import Permissions
from control_plane.roles.health import health
from control_plane.roles.measured import Measured
from control_plane.roles.sockets import Sockets
from control_plane.web.serving import to_nodes
from control_plane.wiring.services import Services, services
from hooks.connection import Connections
from hooks.listener import Listener
from hooks.traced import answerer

#: Connections to Postgres: a look-up has no time to wait for a new one.
AT_ONCE = 4
READ_EVERY = 10.0  # seconds: how late a node is known whose notice was lost


@contextlib.asynccontextmanager
async def auth(settings: Settings, sockets: Sockets) -> AsyncIterator[None]:
    """Until the context ends; then it drains."""
    async with contextlib.AsyncExitStack() as stack:
        all_of_it = await stack.enter_async_context(
            services(settings, reserved_at_once=AT_ONCE)
        )
        permissions = Permissions(all_of_it.reserved, settings.direct_url)
        grants = Grants(all_of_it.reserved)
        listener = gate(all_of_it, permissions, grants)
        nodes = KnownNodes(all_of_it.nodes, listener)
        permissions.on_nodes_changed(nodes.changed)
        measured = Measured("auth", all_of_it)
        pool = all_of_it.reserved
        for part in (pool, nodes, permissions, grants, all_of_it.hints, measured):
            await stack.enter_async_context(part.running())
        connections = Connections(answerer(listener))
        await stack.enter_async_context(to_nodes(connections, sockets["internal"]))
        yield


def gate(all_of_it: Services, permissions: Permissions, grants: Grants) -> Listener:
    authorizer = Authorizer(
        all_of_it.secrets,
        permissions,
        all_of_it.hints,
        grants,
        tokens_required=all_of_it.settings.playback == "token",
    )
    return Listener(
        all_of_it.secrets,
        authorizer,
        all_of_it.lifecycle,
        grants,
        all_of_it.cutter,
        health(all_of_it, notices=permissions.check),
    )


class KnownNodes:
    """What the listener knows of nodes: read when they change, and again now and then,
    since no second notice comes where that failed."""

    def __init__(self, nodes: Nodes, listener: Listener) -> None:
        self._nodes = nodes
        self._listener = listener
        self._stale = asyncio.Event()

    def changed(self) -> None:
        self._stale.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """They are known once this has begun. Raises StoreFault."""
        await self._read()
        async with Loop("known nodes", self._turn, 0.0, after_failure=AGAIN).running():
            yield

    async def _turn(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READ_EVERY):
                await self._stale.wait()
        await self._read()

    async def _read(self) -> None:
        self._stale.clear()
        try:
            self._listener.know_nodes(await self._nodes.listing())
        except BaseException:
            self._stale.set()
            raise
