"""The use cases, made from the settings; nothing runs in the background yet."""

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import cached_property, partial

import aiohttp

from control_plane.audit.service import AuditLog
from control_plane.base import request_ids
from control_plane.base.database import Pool, open_pool
from control_plane.base.redis import Redis, open_redis
from control_plane.base.room import Folder
from control_plane.base.secrets import Secrets
from control_plane.coins.service.tickets import Tickets
from control_plane.config.settings import Settings
from control_plane.config.sign_in import SignInSettings
from control_plane.operators.requests import Requests
from control_plane.operators.service import Tokens
from control_plane.operators.sessions import Sessions
from control_plane.people.model.providers import Provider, apple, firebase, google
from control_plane.people.service.accounts import Accounts
from control_plane.people.service.directory import Directory
from control_plane.people.service.profiles import Profiles
from control_plane.people.service.sign_in import IdTokens
from control_plane.videos.service.videos import Videos
from control_plane.web import traced
from control_plane.web.published_keys import fetcher
from control_plane.wiring.coins import Coins, open_coins
from control_plane.wiring.events import Events, open_events
from control_plane.wiring.live import Live

RESERVED = 6  # connections to Postgres for auth and going live


class Services(Live):
    """The use cases, for the command line and the listeners alike. ``callers`` are the
    accounts that only say who calls, which going live needs too."""

    def __init__(
        self,
        settings: Settings,
        secrets: Secrets,
        pool: Pool,
        reserved: Pool,
        redis: Redis,
        http: aiohttp.ClientSession,
        coins: Coins,
        events: Events,
    ) -> None:
        super().__init__(settings, secrets, pool, reserved, redis, http)
        self.coins = coins
        self.events = events

    @cached_property
    def tickets(self) -> Tickets:
        share = self.settings.platform_share_percent
        unwatched = timedelta(hours=self.settings.unwatched_ticket_hours)
        return Tickets(
            self.pool, self.viewers_rights, share_percent=share, unwatched=unwatched
        )

    @cached_property
    def accounts(self) -> Accounts:
        return self._accounts(self.pool)

    @cached_property
    def callers(self) -> Accounts:
        return self._accounts(self.reserved)

    def _accounts(self, pool: Pool) -> Accounts:
        return Accounts(
            pool,
            self.secrets.user_tokens(),
            token_days=self.settings.token_days,
            accept_provider_uid=self.settings.provider_uid_accepted,
        )

    @cached_property
    def operator_tokens(self) -> Tokens:
        return Tokens(self.pool)

    @cached_property
    def operator_sessions(self) -> Sessions:
        return Sessions(self.pool, self.operator_tokens)

    @cached_property
    def operator_requests(self) -> Requests:
        return Requests(self.pool, self.secrets.operator_answers())

    @cached_property
    def audit(self) -> AuditLog:
        return AuditLog(self.pool)

    @cached_property
    def directory(self) -> Directory:
        return Directory(self.pool)

    @cached_property
    def profiles(self) -> Profiles:
        return Profiles(self.pool)

    @cached_property
    def videos(self) -> Videos:
        return Videos(self.pool)

    @cached_property
    def media(self) -> Folder:
        return Folder("media", self.settings.media_folder)

    @cached_property
    def id_tokens(self) -> IdTokens:
        return IdTokens(_providers(self.settings), fetcher(self._http))


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
        opened = partial(open_pool, url, pooled=settings.pooled)
        most = settings.postgres_connections
        pool = await stack.enter_async_context(opened(most, at_once=0))
        reserved = await stack.enter_async_context(
            opened(RESERVED, at_once=reserved_at_once)
        )
        redis = await stack.enter_async_context(
            open_redis(settings.redis_url.get_secret_value())
        )
        # A session that a node opens for a picture is in the addresses that follow.
        no_cookies = aiohttp.DummyCookieJar()
        http = await stack.enter_async_context(
            aiohttp.ClientSession(
                cookie_jar=no_cookies,
                middlewares=[_numbered, *traced.calls(traced.NODE_CALL)],
            )
        )
        coins = await stack.enter_async_context(open_coins(settings, pool))
        events = await stack.enter_async_context(open_events(settings, secrets, pool))
        made = Services(settings, secrets, pool, reserved, redis, http, coins, events)
        stack.push_async_callback(made.cutter.finish)
        yield made


async def _numbered(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """What a node is asked bears the id of the request that wants it."""
    if wanted_by := request_ids.current():
        request.headers[request_ids.HEADER] = wanted_by
    return await send(request)


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
