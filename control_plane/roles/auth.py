"""The role that nodes talk to: auth calls and hooks, and nothing else."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from control_plane.config.settings import Settings
from control_plane.live.service.authorize import Authorizer
from control_plane.live.service.grants import Grants
from control_plane.live.service.permissions import Permissions
from control_plane.roles.health import health
from control_plane.roles.measured import Measured
from control_plane.roles.sockets import Sockets
from control_plane.web.serving import to_nodes
from control_plane.wiring.services import Services, services
from hooks.connection import Connections
from hooks.listener import Listener

#: Connections to Postgres: a look-up has no time to wait for a new one.
AT_ONCE = 4


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
        permissions.on_nodes_changed(learn_nodes(all_of_it, listener))
        listener.know_nodes(await all_of_it.nodes.listing())
        measured = Measured("auth", all_of_it)
        pool = all_of_it.reserved
        for part in (pool, permissions, grants, all_of_it.hints, measured):
            await stack.enter_async_context(part.running())
        connections = Connections(listener.answer)
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


def learn_nodes(all_of_it: Services, listener: Listener) -> Callable[[], None]:
    running: set[asyncio.Task[None]] = set()

    async def learn() -> None:
        listener.know_nodes(await all_of_it.nodes.listing())

    def changed() -> None:
        task = asyncio.create_task(learn())
        running.add(task)
        task.add_done_callback(running.discard)

    return changed
