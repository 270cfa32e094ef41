"""The only wiring: every object is made here, from the settings, in one place."""

import asyncio
import contextlib
import os
import secrets as random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
import structlog
from aiohttp import web
from redis.asyncio import Redis

from control_plane.api import not_yet, store_notices
from control_plane.api.accounts import AccountsApi
from control_plane.api.gifts import GiftsApi
from control_plane.api.identities import Identities
from control_plane.api.live import LiveApi
from control_plane.api.live_extras import LiveExtrasApi
from control_plane.api.names import NAMES
from control_plane.api.settings import SettingsApi
from control_plane.api.social import SocialApi
from control_plane.api.videos import VideosApi
from control_plane.api.wallet import WalletApi
from control_plane.coins import Coins, open_coins
from control_plane.config import Settings
from control_plane.model.nodes import Node, NodeApi
from control_plane.model.providers import Provider, apple, firebase, google
from control_plane.model.secret import Secrets
from control_plane.ops import health
from control_plane.pages.routes import Pages
from control_plane.pages.watching import WatchingFeed
from control_plane.service.accounts import Accounts
from control_plane.service.announcing import Announcing
from control_plane.service.authorize import API_USER, Authorizer
from control_plane.service.broadcasts import Broadcasts
from control_plane.service.cutting import Cutter
from control_plane.service.deletion import Deletion
from control_plane.service.grants import Grants
from control_plane.service.health import Health
from control_plane.service.lifecycle import Lifecycle, Limits
from control_plane.service.limits import RateLimits, Rules
from control_plane.service.moderation import Moderation
from control_plane.service.nodes import Nodes
from control_plane.service.permissions import Permissions
from control_plane.service.profiles import Profiles
from control_plane.service.reconciler import Reconciler
from control_plane.service.sign_in import IdTokens
from control_plane.service.social import Social
from control_plane.service.videos import Videos
from control_plane.service.viewers import Viewers
from control_plane.service.watching import Watching
from control_plane.store import database
from control_plane.store import nodes as node_store
from control_plane.store.database import Pool
from control_plane.store.viewers import open_redis
from control_plane.web import media
from control_plane.web.address import Addresses
from control_plane.web.dispatch import Dispatcher, Endpoint
from control_plane.web.public import public_app
from control_plane.web.published_keys import fetcher
from hooks.listener import Listener
from mediamtx.client import Client

log = structlog.get_logger(__name__)

BACKLOG = 4096  # connections that may wait: 128 gives a p99 of 1.5 s in a rush


@dataclass(frozen=True)
class Services:
    """The use cases, for the command line and the listeners alike."""

    settings: Settings
    secrets: Secrets
    pool: Pool
    redis: Redis
    nodes: Nodes
    lifecycle: Lifecycle
    viewers: Viewers
    cutter: Cutter
    broadcasts: Broadcasts
    moderation: Moderation
    watching: Watching
    accounts: Accounts
    coins: Coins
    profiles: Profiles
    videos: Videos
    id_tokens: IdTokens


@contextlib.asynccontextmanager
async def services(settings: Settings) -> AsyncIterator[Services]:
    """Opens the stores; nothing runs in the background yet."""
    secrets = Secrets(settings.secret.get_secret_value())
    async with contextlib.AsyncExitStack() as stack:
        pool = await database.open_pool(settings.database_url.get_secret_value())
        stack.push_async_callback(_close_pool, pool)
        redis = open_redis(settings.redis_url.get_secret_value())
        stack.push_async_callback(redis.aclose)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        coins = await stack.enter_async_context(open_coins(settings, pool))
        yield _services(settings, secrets, pool, redis, http, coins)


async def _close_pool(pool: Pool) -> None:
    try:
        async with asyncio.timeout(3.0):
            await pool.close()
    except TimeoutError:
        pool.terminate()


def _connect(
    secrets: Secrets, http: aiohttp.ClientSession
) -> Callable[[Node], NodeApi]:
    def connect(node: Node) -> NodeApi:
        return Client(http, node.api_url, API_USER, secrets.node_api(node.name))

    return connect


def _services(
    settings: Settings,
    secrets: Secrets,
    pool: Pool,
    redis: Redis,
    http: aiohttp.ClientSession,
    coins: Coins,
) -> Services:
    limits = Limits(
        settings.reconnect_seconds, timedelta(seconds=settings.longest_session_seconds)
    )
    nodes = Nodes(pool, _connect(secrets, http))
    cutter = Cutter(pool, nodes)
    lifecycle = Lifecycle(pool, limits)
    viewers = Viewers(redis, secrets.viewer_tokens())
    broadcasts = Broadcasts(
        pool,
        nodes,
        lifecycle,
        viewers,
        cutter,
        pepper=secrets.key_pepper(),
        first_publish_within=timedelta(seconds=settings.first_publish_seconds),
    )
    watching = Watching(
        pool,
        nodes,
        viewers,
        viewer_key=secrets.viewer_tokens(),
        token_seconds=int(settings.viewer_token_hours * 3600),
    )
    accounts = Accounts(
        pool,
        secrets.user_tokens(),
        token_days=settings.token_days,
        accept_provider_uid=settings.provider_uid_accepted,
    )
    return Services(
        settings=settings,
        secrets=secrets,
        pool=pool,
        redis=redis,
        nodes=nodes,
        lifecycle=lifecycle,
        viewers=viewers,
        cutter=cutter,
        broadcasts=broadcasts,
        moderation=Moderation(pool, broadcasts, nodes, cutter),
        watching=watching,
        accounts=accounts,
        coins=coins,
        profiles=Profiles(pool, coins.ledger),
        videos=Videos(pool),
        id_tokens=IdTokens(_providers(settings), fetcher(http)),
    )


def _providers(settings: Settings) -> list[Provider]:
    """Those that are configured."""
    found = []
    if settings.firebase_project:
        found.append(firebase(settings.firebase_project, settings.firebase_keys_url))
    if clients := tuple(settings.google_client_ids.split()):
        found.append(google(clients, settings.google_keys_url))
    if clients := tuple(settings.apple_client_ids.split()):
        found.append(apple(clients, settings.apple_keys_url))
    return found


@dataclass(frozen=True)
class Ports:
    """Where the two listeners really are."""

    public: int
    internal: int


@contextlib.asynccontextmanager
async def serve(settings: Settings) -> AsyncIterator[Ports]:
    """The whole service, until the context ends; then it drains."""
    for name in await database.migrate(settings.database_url.get_secret_value()):
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
        await stack.enter_async_context(_reconciler(all_of_it, grants).running())
        internal = await stack.enter_async_context(_internal(settings, listener))
        public = await stack.enter_async_context(_public(all_of_it, permissions))
        log.info("serving", public=public, internal=internal)
        yield Ports(public, internal)
        log.info("draining")


def configured_node(settings: Settings) -> Node:
    """The node of the settings. ``{host}`` becomes the host of each request, so that
    in development a phone on the same network gets an address it can use."""
    host = settings.node_host or "{host}"
    return Node(
        name=settings.node_name,
        api_url=f"http://127.0.0.1:{settings.api_port}",
        rtmp_url=f"rtmp://{host}:{settings.rtmp_port}",
        hls_url=f"http://{host}:{settings.hls_port}",
        webrtc_url=f"http://{host}:{settings.webrtc_port}",
        srt_url=f"srt://{host}:{settings.srt_port}",
        rtsp_url=f"rtsp://{host}:{settings.rtsp_port}",
        region=settings.node_region,
        sandbox=settings.node_sandbox,
    )


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


def _reconciler(all_of_it: Services, grants: Grants) -> Reconciler:
    return Reconciler(
        all_of_it.pool,
        all_of_it.nodes,
        all_of_it.lifecycle,
        all_of_it.viewers,
        grants,
        owner=f"{os.getpid()}-{random.token_hex(4)}",
        pepper=all_of_it.secrets.key_pepper(),
        interval=all_of_it.settings.reconcile_seconds,
    )


@contextlib.asynccontextmanager
async def _internal(settings: Settings, listener: Listener) -> AsyncIterator[int]:
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
        _dispatcher(all_of_it),
        [
            *Pages(WatchingFeed(all_of_it.watching)).routes(),
            *media.routes(settings.media_folder),
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


def _dispatcher(all_of_it: Services) -> Dispatcher:
    settings = all_of_it.settings
    live = LiveApi(all_of_it.broadcasts, all_of_it.watching)
    return Dispatcher(
        not_yet.endpoints() | _app_endpoints(all_of_it) | live.endpoints(),
        NAMES,
        all_of_it.accounts,
        settings.api_key.get_secret_value(),
        _rate_limits(all_of_it),
        Addresses(settings.trusted_proxies),
    )


def _app_endpoints(all_of_it: Services) -> dict[str, Endpoint]:
    """Accounts, people, videos and coins."""
    coins = all_of_it.coins
    settings, pool, profiles = all_of_it.settings, all_of_it.pool, all_of_it.profiles
    accounts = AccountsApi(
        all_of_it.accounts,
        profiles,
        Deletion(pool, all_of_it.broadcasts),
        Identities(all_of_it.id_tokens, unverified_allowed=settings.development),
    )
    return {
        **accounts.endpoints(),
        **SocialApi(Social(pool), profiles).endpoints(),
        **VideosApi(all_of_it.videos, settings.public_url).endpoints(),
        **SettingsApi(profiles, str(settings.coin_worth)).endpoints(),
        **LiveExtrasApi(Announcing(pool)).endpoints(),
        **GiftsApi(coins.gifts, profiles, settings.public_url).endpoints(),
        **WalletApi(coins.purchases, coins.payouts, profiles).endpoints(),
    }


def _rate_limits(all_of_it: Services) -> RateLimits:
    settings = all_of_it.settings
    rules = Rules(
        sign_in=settings.sign_ins_per_minute,
        money=settings.money_per_minute,
        search=settings.searches_per_minute,
    )
    return RateLimits(all_of_it.redis, rules)


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
