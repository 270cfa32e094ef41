"""Which servers a REDIS_URL means: one, whichever sentinels call the primary, or all of
a cluster."""

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from redis import exceptions
from redis._parsers import AsyncCommandsParser
from redis.asyncio import Redis as Single
from redis.asyncio import RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import URL_QUERY_ARGUMENT_PARSERS
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.cluster import PRIMARY
from redis.maint_notifications import MaintNotificationsConfig

from control_plane.base.redis_traced import followed

Redis: TypeAlias = Single | RedisCluster

#: By scheme: with TLS.
SENTINELS = {"redis+sentinel": False, "rediss+sentinel": True}
CLUSTERS = {"redis+cluster": False, "rediss+cluster": True}
PORT, SENTINEL_PORT = 6379, 26379
#: Its pool passes over connections that the server has closed. With notifications of
#: maintenance, which only Redis Cloud sends, it would not look (redis-py 8.1).
OPTIONS: dict[str, Any] = {
    "socket_timeout": 2.0,
    "socket_connect_timeout": 1.0,
    "decode_responses": True,
    "maint_notifications_config": MaintNotificationsConfig(enabled=False),
}


class BadUrl(Exception):
    """The text is a sentence for people."""


class _Named(NamedTuple):
    """What a URL with several hosts says. ``asked``: as one with a single host may."""

    hosts: list[str]
    user: str | None
    password: str | None
    path: str
    asked: dict[str, Any]


@contextlib.asynccontextmanager
async def open_redis(url: str) -> AsyncIterator[Redis]:
    """``redis://[[user]:password@]host[:port][/db]``, ``rediss://`` with TLS;
    ``redis+sentinel://[[user]:password@]host[:port],…/service[/db]``: whichever server
    those sentinels call the primary of that service; or
    ``redis+cluster://[[user]:password@]host[:port],…``: the cluster in which those are.
    Nothing is connected yet. Raises BadUrl."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            parts = urlsplit(url)
            opened: Redis
            if parts.scheme in CLUSTERS:
                opened = _cluster(parts)
            elif parts.scheme in SENTINELS:
                sentinel, opened = _watched(parts)
                await stack.enter_async_context(sentinel)
            else:
                opened = Single.from_url(url, **OPTIONS)
        except (ValueError, TypeError) as error:
            raise BadUrl(f"REDIS_URL cannot be meant: {error}") from None
        stack.push_async_callback(_close, opened)
        yield followed(opened)


def _watched(parts: SplitResult) -> tuple[Sentinel, Single]:
    """Who is asked for the primary, and what is always connected to it. The servers'
    login is in front of the hosts, the sentinels' own in ``?username=&password=``. What
    else is asked for, ``ssl_ca_certs`` say, holds for both."""
    named = _named(parts)
    service, _, number = named.path.partition("/")
    if not service:
        raise ValueError("the path names no service, as in redis+sentinel://host/ours")
    own = {name: named.asked.pop(name, None) for name in ("username", "password")}
    both = {**OPTIONS, "ssl": SENTINELS[parts.scheme], **named.asked}
    made: Any = Sentinel  # which redis-py leaves untyped
    sentinel: Sentinel = made(
        [_place(host, SENTINEL_PORT) for host in named.hosts],
        # One that is away is passed over at once.
        sentinel_kwargs={**both, **own, "retry": Retry(NoBackoff(), 0)},
        **both,
        username=named.user,
        password=named.password,
    )
    return sentinel, sentinel.master_for(service, db=int(number or 0))


class _Commands(AsyncCommandsParser):
    async def initialize(self, node: ClusterNode | None = None) -> None:
        """redis-py (8.1) asks again whenever it finds the servers anew, and closes all
        connections if the one that it asks is away."""
        if node is None or not self.commands:
            await super().initialize(node)


class _Cluster(RedisCluster):
    """What the others have is there while one of its servers is away."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands_parser = _Commands()

    async def aclose(self) -> None:
        """redis-py (8.1) does so after each error, to find the servers anew, and would
        close the connections over which others are being asked."""
        self._initialize = True

    async def initialize(self, *args: Any, **options: Any) -> "_Cluster":
        """redis-py (8.1) asks the first primary what commands there are, and if that
        one is away it takes all for away."""
        try:
            await super().initialize(*args, **options)
        except (exceptions.ConnectionError, exceptions.TimeoutError):
            manager = self.nodes_manager
            for first in manager.get_nodes_by_server_type(PRIMARY)[:1]:
                manager.move_node_to_end_of_cached_nodes(first.name)
            await super().initialize(*args, **options)
        return self


def _cluster(parts: SplitResult) -> RedisCluster:
    named = _named(parts)
    if named.path not in ("", "0"):
        raise ValueError("a cluster has no numbered databases")
    return _Cluster(
        startup_nodes=[ClusterNode(*_place(host, PORT)) for host in named.hosts],
        username=named.user,
        password=named.password,
        ssl=CLUSTERS[parts.scheme],
        require_full_coverage=False,
        # As with one server: who asks decides whether to ask again.
        retry=Retry(NoBackoff(), 1),
        **{**OPTIONS, **named.asked},
    )


async def _close(opened: Redis) -> None:
    await opened.aclose()
    if isinstance(opened, RedisCluster):
        for nodes in ("nodes_cache", "startup_nodes"):
            await opened.nodes_manager.aclose(nodes)


def _named(parts: SplitResult) -> _Named:
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, password = (unquote(part) for part in login.partition(":"))
    return _Named(
        hosts.split(","),
        user or None,
        password or None,
        unquote(parts.path).strip("/"),
        {name: _kind(name)(one) for name, one in parse_qsl(parts.query)},
    )


def _kind(name: str) -> Callable[[str], object]:
    return URL_QUERY_ARGUMENT_PARSERS.get(name, str)


def _place(host: str, port: int) -> tuple[str, int]:
    found = urlsplit(f"//{host}")
    return found.hostname or "localhost", found.port or port
