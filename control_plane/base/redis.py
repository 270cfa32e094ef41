"""Redis or Valkey. The driver's errors end where a store's function ends."""

import contextlib
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import Any, NamedTuple, ParamSpec, TypeVar
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig

from control_plane.base.faults import Away

__all__ = [
    "BadUrl",
    "Command",
    "Memory",
    "Redis",
    "asks_redis",
    "memory",
    "open_redis",
    "pipelined",
    "translated",
]

#: A command and its arguments.
Command = tuple[str | int | float, ...]
SENTINELS = {"redis+sentinel": False, "rediss+sentinel": True}  # by scheme: with TLS
SENTINEL_PORT = 26379
#: Its pool passes over connections that the server has closed. With notifications of
#: maintenance, which only Redis Cloud sends, it would not look (redis-py 8.1).
OPTIONS: dict[str, Any] = {
    "socket_timeout": 2.0,
    "socket_connect_timeout": 1.0,
    "decode_responses": True,
    "maint_notifications_config": MaintNotificationsConfig(enabled=False),
}
#: Words that are packed at once: more would hold the event loop.
WORDS = 1000

Args = ParamSpec("Args")
Result = TypeVar("Result")


class BadUrl(Exception):
    """The text is a sentence for people."""


@contextlib.asynccontextmanager
async def open_redis(url: str) -> AsyncIterator[Redis]:
    """``redis://[[user]:password@]host[:port][/db]``, ``rediss://`` with TLS, or
    ``redis+sentinel://[[user]:password@]host[:port],…/service[/db]``: whichever server
    those sentinels call the primary of that service. Raises BadUrl."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            parts = urlsplit(url)
            if parts.scheme in SENTINELS:
                sentinel, opened = _watched(parts)
                await stack.enter_async_context(sentinel)
            else:
                opened = Redis.from_url(url, **OPTIONS)
        except ValueError as error:
            raise BadUrl(f"REDIS_URL cannot be meant: {error}") from None
        yield await stack.enter_async_context(opened)


def _watched(parts: SplitResult) -> tuple[Sentinel, Redis]:
    """Who is asked for the primary, and what is always connected to it. The servers'
    login is in front of the hosts, the sentinels' own in ``?username=&password=``. What
    else is asked for, ``ssl_ca_certs`` say, holds for both."""
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, password = (unquote(part) for part in login.partition(":"))
    service, _, number = unquote(parts.path).strip("/").partition("/")
    if not service:
        raise ValueError("the path names no service, as in redis+sentinel://host/ours")
    asked = dict(parse_qsl(parts.query))
    own = {name: asked.pop(name, None) for name in ("username", "password")}
    both = {**OPTIONS, "ssl": SENTINELS[parts.scheme], **asked}
    made: Any = Sentinel  # which redis-py leaves untyped
    sentinel: Sentinel = made(
        [_place(host) for host in hosts.split(",")],
        # One that is away is passed over at once.
        sentinel_kwargs={**both, **own, "retry": Retry(NoBackoff(), 0)},
        **both,
        username=user or None,
        password=password or None,
    )
    return sentinel, sentinel.master_for(service, db=int(number or 0))


def _place(host: str) -> tuple[str, int]:
    found = urlsplit(f"//{host}")
    return found.hostname or "localhost", found.port or SENTINEL_PORT


async def ping(redis: Redis) -> None:
    """Raises Away."""
    with translated():
        await redis.ping()


class Memory(NamedTuple):
    """Bytes; ``most`` 0: no limit."""

    used: int
    most: int

    @property
    def share(self) -> float:
        """Of what it may use."""
        return self.used / self.most if self.most else 0.0


async def memory(redis: Redis) -> Memory:
    """Raises Away."""
    with translated():
        found = await redis.info("memory")
    return Memory(int(found["used_memory"]), int(found.get("maxmemory", 0)))


async def pipelined(redis: Redis, commands: Iterable[Command]) -> list[Any]:
    """Their answers. Many at once, as few round trips as the event loop allows."""
    answers: list[Any] = []
    for some in _chunks(commands):
        async with redis.pipeline(transaction=False) as pipe:
            for command in some:
                pipe.execute_command(*command)
            answers += await pipe.execute()
    return answers


def _chunks(commands: Iterable[Command]) -> Iterator[list[Command]]:
    some: list[Command] = []
    words = 0
    for command in commands:
        some.append(command)
        # A command costs about as much as ten words.
        words += len(command) + 10
        if words >= WORDS:
            yield some
            some, words = [], 0
    if some:
        yield some


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """The driver's errors as ours."""
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise Away(f"Redis: {error!r}") from error


def asks_redis(
    function: Callable[Args, Awaitable[Result]],
) -> Callable[Args, Awaitable[Result]]:
    """Its errors are ours."""

    @functools.wraps(function)
    async def asked(*args: Args.args, **kwargs: Args.kwargs) -> Result:
        with translated():
            return await function(*args, **kwargs)

    return asked
