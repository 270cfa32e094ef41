"""The role that no app waits for: it compares nodes with tables, counts, checks, sends
webhooks and answers operators."""

import contextlib
import os
from collections.abc import AsyncIterator
from secrets import token_hex

from aiohttp import web

from control_plane.config.settings import Settings
from control_plane.live.service.owner import Owner
from control_plane.live.service.reconciler import Reconciler
from control_plane.ops import metrics
from control_plane.ops.events import EventsApi
from control_plane.ops.operators import operators_app
from control_plane.ops.webhooks import WebhooksApi
from control_plane.roles.health import health
from control_plane.roles.sockets import Sockets
from control_plane.web.address import Addresses
from control_plane.web.serving import to_everybody, to_operators
from control_plane.wiring.services import Services, services


@contextlib.asynccontextmanager
async def work(settings: Settings, sockets: Sockets) -> AsyncIterator[None]:
    """Until the context ends; then it drains."""
    async with contextlib.AsyncExitStack() as stack:
        all_of_it = await stack.enter_async_context(services(settings))
        operators = metrics.app(health(all_of_it))
        at = sockets["work_metrics"]
        await stack.enter_async_context(to_operators(operators, at))
        events, coins = all_of_it.events, all_of_it.coins
        for part in (
            *(all_of_it.attendance, all_of_it.heartbeats, coins),
            *(events.keeping, events.tail, events.delivery),
        ):
            await stack.enter_async_context(part.running())
        await stack.enter_async_context(owner(all_of_it).running())
        api = EventsApi(events.reading, events.tail)
        app = _operators(all_of_it, api)
        addresses = Addresses(settings.trusted_proxies)
        at = sockets["operator"]
        await stack.enter_async_context(to_everybody(app, at, addresses))
        stack.callback(api.close)  # a drain would wait for who follows
        yield


def _operators(all_of_it: Services, api: EventsApi) -> web.Application:
    events = all_of_it.events
    return operators_app(
        [
            *api.routes(events.tokens),
            *WebhooksApi(events.webhooks).routes(events.tokens),
        ]
    )


def owner(all_of_it: Services) -> Owner:
    reconciler = Reconciler(
        all_of_it.reserved,
        all_of_it.nodes,
        all_of_it.lifecycle,
        all_of_it.counting,
        peppers=all_of_it.secrets.key_peppers(),
    )
    return Owner(
        all_of_it.reserved,
        all_of_it.nodes,
        reconciler,
        name=f"{os.getpid()}-{token_hex(4)}",
        interval=all_of_it.settings.reconcile_seconds,
    )
