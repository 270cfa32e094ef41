"""The role that no app waits for: it compares nodes with tables, counts, checks, sends
webhooks and answers operators."""

import contextlib
import os
from collections.abc import AsyncIterator
from functools import partial
from secrets import token_hex

from aiohttp import web

from control_plane.api.description import document
from control_plane.config.settings import Settings
from control_plane.live.service.owner import Owner
from control_plane.live.service.reconciler import Reconciler
from control_plane.ops import dashboard, metrics
from control_plane.ops.admission import Admission
from control_plane.ops.description import DescriptionApi
from control_plane.ops.dispatch import Dispatcher
from control_plane.ops.events import EventsApi
from control_plane.ops.limits import Budget
from control_plane.ops.session import SessionApi
from control_plane.roles.health import health
from control_plane.roles.measured import Measured
from control_plane.roles.sockets import Sockets
from control_plane.web.address import Addresses
from control_plane.web.numbering import number
from control_plane.web.origin import Origins
from control_plane.web.serving import to_everybody, to_operators
from control_plane.wiring import operators
from control_plane.wiring.apis import endpoints
from control_plane.wiring.services import Services, services


@contextlib.asynccontextmanager
async def work(settings: Settings, sockets: Sockets) -> AsyncIterator[None]:
    """Until the context ends; then it drains."""
    async with contextlib.AsyncExitStack() as stack:
        all_of_it = await stack.enter_async_context(services(settings))
        measured = metrics.app(health(all_of_it))
        at = sockets["work_metrics"]
        await stack.enter_async_context(to_operators(measured, at))
        events, coins = all_of_it.events, all_of_it.coins
        for part in (
            *(all_of_it.pool, all_of_it.attendance, all_of_it.heartbeats),
            *(all_of_it.looking_again, all_of_it.moderation, all_of_it.owed_cuts),
            *(all_of_it.tickets, coins, events.keeping, events.tail, events.delivery),
            *(all_of_it.previewing, all_of_it.measuring, all_of_it.emptying),
            all_of_it.media,
            *(all_of_it.figures, events.figures, Measured("work", all_of_it)),
        ):
            await stack.enter_async_context(part.running())
        await stack.enter_async_context(owner(all_of_it).running())
        api = EventsApi(events.reading, events.tail)
        addresses = Addresses(settings.trusted_proxies)
        app = _operators(all_of_it, api, addresses)
        at = sockets["operator"]
        await stack.enter_async_context(to_everybody(app, at, addresses))
        stack.callback(api.close)  # a drain would wait for who follows
        yield


def _operators(
    all_of_it: Services, api: EventsApi, addresses: Addresses
) -> web.Application:
    browsers, settings = all_of_it.operator_sessions, all_of_it.settings
    admission = Admission(all_of_it.operator_tokens, browsers, Origins(addresses))
    dispatcher = Dispatcher(
        admission,
        all_of_it.operator_requests,
        Budget(settings.operator_requests_per_minute),
    )
    origins = Origins(addresses, settings.public_url)
    routes = [
        *SessionApi(browsers, admission).routes(),
        *operators.routes(all_of_it, api, origins),
    ]
    apps = partial(document, endpoints(all_of_it, addresses))
    app = dispatcher.app([*routes, *DescriptionApi(routes, apps).routes()])
    viewers_at = settings.public_url or f"{settings.public_port}"
    app.add_routes(dashboard.routes(viewers_at, origins, all_of_it.watching.hls_urls))
    number(app, addresses)
    return app


def owner(all_of_it: Services) -> Owner:
    reconciler = Reconciler(
        all_of_it.reserved,
        all_of_it.nodes,
        all_of_it.lifecycle,
        all_of_it.counting,
        all_of_it.measuring,
        peppers=all_of_it.secrets.key_peppers(),
    )
    return Owner(
        all_of_it.reserved,
        all_of_it.nodes,
        reconciler,
        name=f"{os.getpid()}-{token_hex(4)}",
        interval=all_of_it.settings.reconcile_seconds,
    )
