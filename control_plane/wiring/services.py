"""The use cases, made from the settings; nothing runs in the background yet."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import aiohttp

from control_plane.base.database import Pool, open_pool
from control_plane.base.redis import Redis, open_redis
from control_plane.base.secrets import Secrets
from control_plane.coins.service.tickets import Tickets
from control_plane.config.live import LiveSettings, NodeSettings
from control_plane.config.settings import Settings
from control_plane.config.sign_in import SignInSettings
from control_plane.live.model.nodes import Node, NodeApi
from control_plane.live.service.at_once import AtOnce
from control_plane.live.service.attendance import Attendance
from control_plane.live.service.authorize import API_USER
from control_plane.live.service.broadcasts import Broadcasts
from control_plane.live.service.counting import Counting
from control_plane.live.service.counts import Counts
from control_plane.live.service.cutting import Cutter
from control_plane.live.service.heartbeats import Heartbeats
from control_plane.live.service.hints import Hints
from control_plane.live.service.ingest_health import IngestHealth
from control_plane.live.service.lasting_keys import LastingKeys
from control_plane.live.service.lifecycle import Lifecycle, Spans
from control_plane.live.service.looking_again import LookingAgain
from control_plane.live.service.measuring import Measuring
from control_plane.live.service.moderation import Moderation
from control_plane.live.service.nodes import Nodes
from control_plane.live.service.overview import Overview
from control_plane.live.service.previewing import Previewing
from control_plane.live.service.previews import Previews
from control_plane.live.service.rights import Rights
from control_plane.live.service.stills import Stills
from control_plane.live.service.watching import Watching
from control_plane.live.store.ingest import IngestStore
from control_plane.live.store.previews import PreviewStore
from control_plane.live.store.viewers import ViewerSets
from control_plane.people.model.providers import Provider, apple, firebase, google
from control_plane.people.service.accounts import Accounts
from control_plane.people.service.directory import Directory
from control_plane.people.service.profiles import Profiles
from control_plane.people.service.sign_in import IdTokens
from control_plane.videos.service.videos import Videos
from control_plane.web.published_keys import fetcher
from control_plane.wiring.coins import Coins, open_coins
from control_plane.wiring.events import Events, open_events
from mediamtx.client import Client
from mediamtx.hls import newest

GENERAL, RESERVED = 10, 6  # connections to Postgres at most


@dataclass(frozen=True)
class Services:
    """The use cases, for the command line and the listeners alike.

    ``reserved`` are the connections of what nodes ask for and of going live: nothing
    that is slow, or that anybody can ask for in any number, runs there. ``callers``
    are the accounts that only say who calls, which going live needs too.
    """

    settings: Settings
    secrets: Secrets
    pool: Pool
    reserved: Pool
    redis: Redis
    nodes: Nodes
    lifecycle: Lifecycle
    hints: Hints
    counting: Counting
    measuring: Measuring
    ingest_health: IngestHealth
    previewing: Previewing
    previews: Previews
    counts: Counts
    attendance: Attendance
    cutter: Cutter
    broadcasts: Broadcasts
    lasting_keys: LastingKeys
    moderation: Moderation
    rights: Rights
    tickets: Tickets
    at_once: AtOnce
    looking_again: LookingAgain
    heartbeats: Heartbeats
    watching: Watching
    overview: Overview
    directory: Directory
    accounts: Accounts
    callers: Accounts
    coins: Coins
    events: Events
    profiles: Profiles
    videos: Videos
    id_tokens: IdTokens


@contextlib.asynccontextmanager
async def services(
    settings: Settings, *, reserved_at_once: int = 0
) -> AsyncIterator[Services]:
    """Nothing runs in the background yet, and of the connections to Postgres only
    ``reserved_at_once`` are there."""
    secrets = Secrets(
        settings.secret.get_secret_value(), settings.old_secret.get_secret_value()
    )
    async with contextlib.AsyncExitStack() as stack:
        url = settings.database_url.get_secret_value()
        pool = await stack.enter_async_context(open_pool(url, GENERAL, at_once=0))
        reserved = await stack.enter_async_context(
            open_pool(url, RESERVED, at_once=reserved_at_once)
        )
        redis = open_redis(settings.redis_url.get_secret_value())
        stack.push_async_callback(redis.aclose)
        # A session that a node opens for a picture is in the addresses that follow.
        no_cookies = aiohttp.DummyCookieJar()
        http = await stack.enter_async_context(
            aiohttp.ClientSession(cookie_jar=no_cookies)
        )
        coins = await stack.enter_async_context(open_coins(settings, pool))
        events = await stack.enter_async_context(open_events(settings, secrets, pool))
        yield _services(settings, secrets, pool, reserved, redis, http, coins, events)


def _connect(
    secrets: Secrets, http: aiohttp.ClientSession, turn: asyncio.Lock
) -> Callable[[Node], NodeApi]:
    def connect(node: Node) -> NodeApi:
        password = secrets.node_api(node.name)
        return Client(http, node.api_url, API_USER, password, turn=turn)

    return connect


def _services(
    settings: Settings,
    secrets: Secrets,
    pool: Pool,
    reserved: Pool,
    redis: Redis,
    http: aiohttp.ClientSession,
    coins: Coins,
    events: Events,
) -> Services:
    first_publish = timedelta(seconds=settings.first_publish_seconds)
    spans = Spans(
        settings.reconnect_seconds,
        timedelta(seconds=settings.longest_session_seconds),
        first_publish if settings.gift_created_sessions else timedelta(0),
    )
    turn = asyncio.Lock()
    nodes = Nodes(reserved, _connect(secrets, http, turn))
    cutter = Cutter(reserved, nodes)
    lifecycle = Lifecycle(reserved, spans)
    rights = Rights(
        reserved,
        cutter,
        viewer_key=secrets.viewer_tokens(),
        tokens_by_default=settings.playback == "token",
    )
    viewer_sets = ViewerSets(redis)
    ingest = IngestStore(redis)
    measuring = Measuring(reserved, ingest)
    previews = Previews(
        pool,
        PreviewStore(redis),
        viewer_key=secrets.viewer_tokens(),
        tokens_by_default=settings.playback == "token",
    )
    counts = Counts(viewer_sets)
    at_once = AtOnce(reserved, viewer_sets, rights, limit=settings.watching_at_once)
    attendance = Attendance(pool, viewer_sets)
    counting = Counting(viewer_sets, secrets.viewer_tokens(), attendance, turn)
    broadcasts = Broadcasts(
        reserved,
        nodes,
        lifecycle,
        cutter,
        peppers=secrets.key_peppers(),
        first_publish_within=first_publish,
    )
    return Services(
        settings=settings,
        secrets=secrets,
        pool=pool,
        reserved=reserved,
        redis=redis,
        nodes=nodes,
        lifecycle=lifecycle,
        hints=Hints(viewer_sets),
        counting=counting,
        measuring=measuring,
        ingest_health=IngestHealth(pool, ingest),
        previewing=_previewing(settings, secrets, redis, http, measuring),
        previews=previews,
        counts=counts,
        attendance=attendance,
        cutter=cutter,
        broadcasts=broadcasts,
        lasting_keys=LastingKeys(
            reserved, nodes, cutter, peppers=secrets.key_peppers()
        ),
        moderation=Moderation(
            reserved, broadcasts, nodes, cutter, viewer_key=secrets.viewer_tokens()
        ),
        rights=rights,
        tickets=Tickets(pool, rights, share_percent=settings.platform_share_percent),
        at_once=at_once,
        looking_again=LookingAgain(counting, rights, at_once, settings.rights_seconds),
        heartbeats=Heartbeats(pool, counts, settings.heartbeat_seconds),
        watching=_watching(
            settings, secrets, pool, nodes, counts, previews, rights, at_once
        ),
        overview=Overview(pool, counts),
        directory=Directory(pool),
        accounts=_accounts(settings, secrets, pool),
        callers=_accounts(settings, secrets, reserved),
        coins=coins,
        events=events,
        profiles=Profiles(pool),
        videos=Videos(pool),
        id_tokens=IdTokens(_providers(settings), fetcher(http)),
    )


def _previewing(
    settings: LiveSettings,
    secrets: Secrets,
    redis: Redis,
    http: aiohttp.ClientSession,
    measuring: Measuring,
) -> Previewing:
    return Previewing(
        measuring,
        partial(newest, http),
        Stills(settings.ffmpeg),
        PreviewStore(redis),
        viewer_key=secrets.viewer_tokens(),
        every=settings.preview_seconds,
    )


def _watching(
    settings: LiveSettings,
    secrets: Secrets,
    pool: Pool,
    nodes: Nodes,
    counts: Counts,
    previews: Previews,
    rights: Rights,
    at_once: AtOnce,
) -> Watching:
    return Watching(
        pool,
        nodes,
        counts,
        previews,
        rights,
        at_once,
        viewer_key=secrets.viewer_tokens(),
        token_seconds=int(settings.viewer_token_hours * 3600),
    )


def _accounts(settings: SignInSettings, secrets: Secrets, pool: Pool) -> Accounts:
    return Accounts(
        pool,
        secrets.user_tokens(),
        token_days=settings.token_days,
        accept_provider_uid=settings.provider_uid_accepted,
    )


def _providers(settings: SignInSettings) -> list[Provider]:
    """Those that are configured."""
    found = []
    if settings.firebase_project:
        found.append(firebase(settings.firebase_project, settings.firebase_keys_url))
    if clients := tuple(settings.google_client_ids.split()):
        found.append(google(clients, settings.google_keys_url))
    if clients := tuple(settings.apple_client_ids.split()):
        found.append(apple(clients, settings.apple_keys_url))
    return found


def configured_node(settings: NodeSettings) -> Node:
    """The node of the settings. ``{host}`` becomes the host of each request, so that
    in development a phone on the same network gets an address it can use."""
    host = settings.node_host or "{host}"
    return Node(
        name=settings.node_name,
        api_url=_url(settings.node_api_url, f"127.0.0.1:{settings.api_port}"),
        rtmp_url=f"rtmp://{host}:{settings.rtmp_port}",
        hls_url=_url(settings.node_hls_url, f"{host}:{settings.hls_port}"),
        webrtc_url=_url(settings.node_webrtc_url, f"{host}:{settings.webrtc_port}"),
        srt_url=f"srt://{host}:{settings.srt_port}",
        rtsp_url=f"rtsp://{host}:{settings.rtsp_port}",
        region=settings.node_region,
        sandbox=settings.node_sandbox,
    )


def _url(given: str, address: str) -> str:
    return given.rstrip("/") or f"http://{address}"
