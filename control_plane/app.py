"""The running service: its two listeners and what happens in the background."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from secrets import token_hex

import structlog
from aiohttp import web

from control_plane.api import gift_files, store_notices
from control_plane.base.schema import migrate
from control_plane.config.listeners import InternalSettings
from control_plane.config.settings import Settings
from control_plane.live.service.authorize import Authorizer
from control_plane.live.service.grants import Grants
from control_plane.live.service.health import Health
from control_plane.live.service.owner import Owner
from control_plane.live.service.permissions import Permissions
from control_plane.live.service.reconciler import Reconciler
from control_plane.live.store import nodes as node_store
from control_plane.ops import health
from control_plane.pages.routes import Pages
from control_plane.pages.watching import WatchingFeed
from control_plane.web import media
from control_plane.web.public import public_app
from control_plane.wiring.apis import dispatcher
from control_plane.wiring.services import Services, configured_node, services
from hooks.listener import Listener

log = structlog.get_logger(__name__)

BACKLOG = 4096  # connections that may wait: 128 gives a p99 of 1.5 s in a rush


@dataclass(frozen=True)
class Ports:
    """Where the two listeners really are."""

    public: int
    internal: int


@contextlib.asynccontextmanager
async def serve(settings: Settings) -> AsyncIterator[Ports]:
    """The whole service, until the context ends; then it drains."""
    for name in await migrate(settings.database_url.get_secret_value()):
        log.info("migrated", migration=name)
    async with contextlib.AsyncExitStack() as stack:
        all_of_it = await stack.enter_async_context(services(settings))
        if settings.node_name:
            await node_store.save(all_of_it.pool, configured_node(settings))
        permissions = Permissions(
            all_of_it.pool, settings.database_url.get_secret_value()
        )
        grants = Grants(all_of_it.pool)
        listener = _listener(all_of_it, permissions, grants)
        permissions.on_nodes_changed(_learn_nodes(all_of_it, listener))
        listener.know_nodes([n.name for n in await all_of_it.nodes.listing()])
        for part in (permissions, grants, all_of_it.viewers, all_of_it.coins):
            await stack.enter_async_context(part.running())
        await stack.enter_async_context(_owner(all_of_it, grants).running())
        internal = await stack.enter_async_context(_internal(settings, listener))
        public = await stack.enter_async_context(_public(all_of_it, permissions))
        log.info("serving", public=public, internal=internal)
        yield Ports(public, internal)
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
        all_of_it.pool,
        all_of_it.nodes,
        all_of_it.lifecycle,
        all_of_it.viewers,
        grants,
        pepper=all_of_it.secrets.key_pepper(),
    )
    return Owner(
        all_of_it.pool,
        all_of_it.nodes,
        reconciler,
        name=f"{os.getpid()}-{token_hex(4)}",
        interval=all_of_it.settings.reconcile_seconds,
    )


@contextlib.asynccontextmanager
async def _internal(
    settings: InternalSettings, listener: Listener
) -> AsyncIterator[int]:
    # A connection serves one auth call: nothing that pays only later is set up.
    server = web.Server(listener.handle, access_log=None, tcp_keepalive=False)
    runner = web.ServerRunner(server)
    await runner.setup()
    try:
        site = web.TCPSite(
            runner,
            settings.internal_host,
            settings.internal_port,
            backlog=BACKLOG,
            reuse_port=settings.internal_reuse_port or None,
        )
        await _start(site, "CONTROL_PLANE_INTERNAL_PORT", settings.internal_port)
        yield _port(runner)
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def _public(all_of_it: Services, permissions: Permissions) -> AsyncIterator[int]:
    settings = all_of_it.settings
    app = public_app(
        dispatcher(all_of_it),
        [
            *Pages(WatchingFeed(all_of_it.watching)).routes(),
            *media.routes(settings.media_folder),
            *gift_files.routes(),
            *store_notices.routes(all_of_it.coins.apple, all_of_it.coins.purchases),
        ],
        health.routes(Health(all_of_it.pool, all_of_it.redis, permissions)),
        cors_origins=settings.cors_origins,
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5.0)
    await runner.setup()
    try:
        site = web.TCPSite(
            runner, settings.public_host, settings.public_port, backlog=BACKLOG
        )
        await _start(site, "CONTROL_PLANE_PUBLIC_PORT", settings.public_port)
        yield _port(runner)
    finally:
        all_of_it.watching.close()
        await runner.cleanup()


class PortInUse(Exception):
    """One sentence that names the port and the setting that moves it."""


async def _start(site: web.TCPSite, setting: str, port: int) -> None:
    try:
        await site.start()
    except OSError as error:
        raise PortInUse(
            f"Port {port} cannot be listened on ({error.strerror}); {setting} moves it."
        ) from None


def _port(runner: web.BaseRunner) -> int:
    return int(runner.addresses[0][1])
