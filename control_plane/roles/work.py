"""The role that nobody waits for: it compares nodes with tables, counts, checks."""

import contextlib
import os
from collections.abc import AsyncIterator
from secrets import token_hex

from control_plane.config.settings import Settings
from control_plane.live.service.owner import Owner
from control_plane.live.service.reconciler import Reconciler
from control_plane.ops import metrics
from control_plane.roles.health import health
from control_plane.roles.sockets import Sockets
from control_plane.web.serving import to_operators
from control_plane.wiring.services import Services, services


@contextlib.asynccontextmanager
async def work(settings: Settings, sockets: Sockets) -> AsyncIterator[None]:
    """Until the context ends; then it drains."""
    async with contextlib.AsyncExitStack() as stack:
        all_of_it = await stack.enter_async_context(services(settings))
        operators = metrics.app(health(all_of_it))
        at = sockets["work_metrics"]
        await stack.enter_async_context(to_operators(operators, at))
        await stack.enter_async_context(all_of_it.coins.running())
        await stack.enter_async_context(_owner(all_of_it).running())
        yield


def _owner(all_of_it: Services) -> Owner:
    reconciler = Reconciler(
        all_of_it.reserved,
        all_of_it.nodes,
        all_of_it.lifecycle,
        all_of_it.viewers,
        peppers=all_of_it.secrets.key_peppers(),
    )
    return Owner(
        all_of_it.reserved,
        all_of_it.nodes,
        reconciler,
        name=f"{os.getpid()}-{token_hex(4)}",
        interval=all_of_it.settings.reconcile_seconds,
    )
