"""The running service: its listeners and what happens in the background."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from secrets import token_hex

import structlog
from aiohttp import web

from control_plane.api import store_notices
from control_plane.base import database, redis
from control_plane.base.schema import migrate
from control_plane.config.listeners import InternalSettings, PublicSettings
from control_plane.config.service import StoreSettings
from control_plane.config.settings import Settings
from control_plane.live.service.authorize import Authorizer
from control_plane.live.service.grants import Grants
from control_plane.live.service.health import Health
from control_plane.live.service.owner import Owner
from control_plane.live.service.permissions import Permissions
from control_plane.live.service.reconciler import Reconciler
from control_plane.ops import health
from control_plane.ops.events import EventsApi
from control_plane.ops.operators import operators_app
from control_plane.ops.webhooks import WebhooksApi
from control_plane.pages.feeds import Feeds, fed
from control_plane.pages.routes import Pages
from control_plane.pages.seats import Seats
from control_plane.pages.watching import WatchingUpdates
from control_plane.web import files
from control_plane.web.accepting import CannotListen
from control_plane.web.address import Addresses
from control_plane.web.origin import Origins
from control_plane.web.public import public_app
from control_plane.web.serving import to_everybody, to_nodes
from control_plane.wiring.apis import dispatcher
from control_plane.wiring.services import Services, configured_node, services
from hooks.connection import Connections
from hooks.listener import Listener

log = structlog.get_logger(__name__)

GIFT_PICTURES = Path(__file__).parent / "api/gift_pictures"  # Android draws no SVG
MEDIA = "[a-z0-9][a-z0-9-]{0,63}[.](?:mp4|jpg)"


@dataclass(frozen=True)
class Ports:
    """Where the listeners really are."""

    public: int
    internal: int
    operators: int


async def migrated(settings: StoreSettings) -> list[str]:
    """What was missing in the database."""
    url = settings.database_url.get_secret_value()
    owner = settings.migrations_url.get_secret_value()
    return await migrate(owner, service_url=url) if owner else await migrate(url)


@contextlib.asynccontextmanager
async def serve(settings: Settings) -> AsyncIterator[Ports]:
    """The whole service, until the context ends; then it drains."""
    for name in await migrated(settings):
        log.info("migrated", migration=name)
    async with contextlib.AsyncExitStack() as stack:
        all_of_it = await stack.enter_async_context(services(settings))
        if settings.node_name:
            await all_of_it.nodes.save(configured_node(settings))
        permissions = Permissions(
            all_of_it.reserved, settings.database_url.get_secret_value()
        )
        grants = Grants(all_of_it.reserved)
        listener = _listener(all_of_it, permissions, grants)
        permissions.on_nodes_changed(_learn_nodes(all_of_it, listener))
        listener.know_nodes([n.name for n in await all_of_it.nodes.listing()])
        for part in (
            *(permissions, grants, all_of_it.viewers, all_of_it.coins),
            *(all_of_it.watching, all_of_it.events.keeping, all_of_it.events.tail),
            *(all_of_it.events.delivery, all_of_it.heartbeats),
        ):
            await stack.enter_async_context(part.running())
        await stack.enter_async_context(_owner(all_of_it, grants).running())
        internal = await stack.enter_async_context(_internal(settings, listener))
        public = await stack.enter_async_context(_public(all_of_it, permissions))
        operators = await stack.enter_async_context(_operators(all_of_it))
        log.info("serving", public=public, internal=internal, operators=operators)
        yield Ports(public, internal, operators)
        log.info("draining")


def _listener(
    all_of_it: Services, permissions: Permissions, grants: Grants
) -> Listener:
    authorizer = Authorizer(
        all_of_it.secrets,
        permissions,
        all_of_it.viewers,
        grants,
        tokens_required=all_of_it.settings.playback == "token",
    )
    return Listener(
        all_of_it.secrets, authorizer, all_of_it.lifecycle, grants, all_of_it.cutter
    )


def _learn_nodes(all_of_it: Services, listener: Listener) -> Callable[[], None]:
    running: set[asyncio.Task[None]] = set()

    async def learn() -> None:
        listener.know_nodes([node.name for node in await all_of_it.nodes.listing()])

    def changed() -> None:
        task = asyncio.create_task(learn())
        running.add(task)
        task.add_done_callback(running.discard)

    return changed


def _owner(all_of_it: Services, grants: Grants) -> Owner:
    reconciler = Reconciler(
        all_of_it.reserved,
        all_of_it.nodes,
        all_of_it.lifecycle,
        all_of_it.viewers,
        grants,
        peppers=all_of_it.secrets.key_peppers(),
    )
    return Owner(
        all_of_it.reserved,
        all_of_it.nodes,
        reconciler,
        name=f"{os.getpid()}-{token_hex(4)}",
        interval=all_of_it.settings.reconcile_seconds,
    )


@contextlib.asynccontextmanager
async def _internal(
    settings: InternalSettings, listener: Listener
) -> AsyncIterator[int]:
    host, port = settings.internal_host, settings.internal_port
    reuse_port = settings.internal_reuse_port
    with _named(port, "CONTROL_PLANE_INTERNAL_PORT"):
        serving = to_nodes(
            Connections(listener.answer), host, port, reuse_port=reuse_port
        )
        async with serving as real_port:
            yield real_port


@contextlib.asynccontextmanager
async def _operators(all_of_it: Services) -> AsyncIterator[int]:
    settings, events = all_of_it.settings, all_of_it.events
    events_api = EventsApi(events.reading, events.tail)
    app = operators_app(
        [
            *events_api.routes(events.tokens),
            *WebhooksApi(events.webhooks).routes(events.tokens),
        ]
    )
    host, port = settings.operator_host, settings.operator_port
    addresses = Addresses(settings.trusted_proxies)
    with _named(port, "CONTROL_PLANE_OPERATOR_PORT"):
        async with to_everybody(app, host, port, addresses) as real_port:
            try:
                yield real_port
            finally:
                events_api.close()


@contextlib.asynccontextmanager
async def _public(all_of_it: Services, permissions: Permissions) -> AsyncIterator[int]:
    settings = all_of_it.settings
    addresses = Addresses(settings.trusted_proxies)
    feeds = Feeds(all_of_it.events.reading.of_session)
    app = _public_app(all_of_it, permissions, addresses, feeds)
    host, port = settings.public_host, settings.public_port
    with _named(port, "CONTROL_PLANE_PUBLIC_PORT"):
        async with (
            fed(feeds, all_of_it.events.tail),
            to_everybody(app, host, port, addresses) as real_port,
        ):
            try:
                yield real_port
            finally:
                all_of_it.watching.close()


def _public_app(
    all_of_it: Services,
    permissions: Permissions,
    addresses: Addresses,
    feeds: Feeds,
) -> web.Application:
    settings, coins = all_of_it.settings, all_of_it.coins
    origins = Origins(addresses, settings.public_url)
    return public_app(
        dispatcher(all_of_it, addresses, origins),
        [
            *_pages(all_of_it, addresses, origins, feeds).routes(),
            *_files(settings),
            *store_notices.routes(coins.apple, coins.purchases),
        ],
        health.routes(_health(all_of_it, permissions)),
        cors_origins=settings.cors_origins,
    )


def _files(settings: PublicSettings) -> list[web.RouteDef]:
    pictures = files.read_all(GIFT_PICTURES)
    found = files.from_memory("/gifts", pictures, files.DAY, anywhere=True)
    if (folder := settings.media_folder) is not None:
        found += files.from_disk("/media", folder, MEDIA, files.HOUR, anywhere=True)
    return found


def _pages(
    all_of_it: Services, addresses: Addresses, origins: Origins, feeds: Feeds
) -> Pages:
    settings = all_of_it.settings
    seats = Seats(
        addresses,
        of_address=settings.event_streams_per_address,
        in_all=settings.event_streams,
    )
    return Pages(WatchingUpdates(all_of_it.watching), seats, origins, feeds)


def _health(all_of_it: Services, permissions: Permissions) -> Health:
    stores = {
        "postgres": partial(database.ping, all_of_it.pool),
        "redis": partial(redis.ping, all_of_it.redis),
    }
    return Health(stores, permissions)


class PortInUse(Exception):
    """One sentence that names the port and the setting that moves it."""


@contextlib.contextmanager
def _named(port: int, setting: str) -> Iterator[None]:
    try:
        yield
    except CannotListen as why:
        raise PortInUse(
            f"Port {port} cannot be listened on ({why}); {setting} moves it."
        ) from None
