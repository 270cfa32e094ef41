"""Redis or Valkey. The driver's errors end where a store's function ends."""

import contextlib
import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import Any, NamedTuple, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from redis import exceptions
from redis.asyncio import RedisCluster
from redis.exceptions import RedisClusterException, RedisError

from control_plane.base.faults import Away
from control_plane.base.redis_servers import BadUrl, Redis, open_redis

__all__ = [
    "BadUrl",
    "Command",
    "Memory",
    "Redis",
    "asks_redis",
    "by_server",
    "memory",
    "open_redis",
    "pipelined",
    "told",
    "translated",
    "write",
]

#: A command and its arguments. Its keys hold the same ``{…}``: a cluster has all of
#: them on one server.
Command = tuple[str | int | float, ...]
#: A cluster can have each on another server.
PLACES = 16
#: Of the driver.
ERRORS = RedisError, RedisClusterException, OSError, TimeoutError
#: Words that are packed at once: more would hold the event loop.
WORDS = 1000
#: For how long a server is not asked that has said nothing: each question of a call,
#: and each call, would wait as long again. Seconds.
REST = 2.0
WRITTEN = "written"
_resting: "WeakKeyDictionary[Redis, float]" = WeakKeyDictionary()  # until when

Args = ParamSpec("Args")
Result = TypeVar("Result")


async def ping(redis: Redis) -> None:
    """Raises Away, also where one of a cluster's primaries is."""
    with translated():
        if isinstance(redis, RedisCluster):
            await redis.ping(target_nodes=RedisCluster.PRIMARIES)
        else:
            await redis.ping()


async def write(redis: Redis) -> None:
    """A word that goes by itself, at each primary of a cluster. Raises Away, also where
    one answers and takes no writes."""
    with translated():
        await _know_servers(redis)
        # Of so many names each primary holds some.
        names = (f"{WRITTEN}:{number}" for number in range(1000))
        at_each = {_server(redis, name): name for name in names}
        words = (("SET", name, "", "EX", 60) for name in at_each.values())
        await pipelined(redis, words)


class Memory(NamedTuple):
    """Bytes; ``most`` 0: no limit."""

    used: int
    most: int

    @property
    def share(self) -> float:
        """Of what it may use."""
        return self.used / self.most if self.most else 0.0


async def memory(redis: Redis) -> Memory:
    """Of a cluster's servers the fullest one's. Raises Away."""
    with translated():
        if isinstance(redis, RedisCluster):
            told = await redis.info("memory", target_nodes=RedisCluster.PRIMARIES)
        else:
            told = await redis.info("memory")
    # Of one server redis-py (8.1) does not say whose it is, in a cluster neither.
    servers = [told] if "used_memory" in told else told.values()
    each = (Memory(int(i["used_memory"]), int(i.get("maxmemory", 0))) for i in servers)
    return max(each, key=lambda one: (one.share, one.used))


async def pipelined(redis: Redis, commands: Iterable[Command]) -> list[Any]:
    """Their answers. Many at once, as few round trips as the event loop allows."""
    answers: list[Any] = []
    with _unless_silent(redis):
        async with _leaving_replicas(redis):
            for some in _chunks(commands):
                async with redis.pipeline(transaction=False) as pipe:
                    for command in some:
                        pipe.execute_command(*command)
                    answers += await pipe.execute()
    return answers


@contextlib.asynccontextmanager
async def _leaving_replicas(redis: Redis) -> AsyncIterator[None]:
    """Its address may lead to another primary by now, while the old one keeps our
    connections. A cluster says so itself."""
    try:
        yield
    except exceptions.ReadOnlyError:
        if not isinstance(redis, RedisCluster):
            await redis.connection_pool.disconnect(inuse_connections=False)
        raise


@contextlib.contextmanager
def _unless_silent(redis: Redis) -> Iterator[None]:
    """Not of a cluster: one of its servers says nothing of the others."""
    if time.monotonic() < _resting.get(redis, 0.0):
        raise Away("Redis: it has just said nothing")
    try:
        yield
    except (exceptions.TimeoutError, TimeoutError):
        if not isinstance(redis, RedisCluster):
            _resting[redis] = time.monotonic() + REST
        raise


async def by_server(redis: Redis, tags: Iterable[str]) -> list[set[str]]:
    """``tags``: what keys hold as ``{tag}``. Those together whose keys one server of a
    cluster has: while it is away, the others' can be written."""
    await _know_servers(redis)
    found: dict[str, set[str]] = {}
    for tag in tags:
        found.setdefault(_server(redis, tag), set()).add(tag)
    return [*found.values()]


async def told(redis: Redis, commands: Iterable[Command]) -> None:
    """As ``pipelined``, where nobody asks for their answers: what a server of a cluster
    is told that is away keeps nothing from the others."""
    await _know_servers(redis)
    away: dict[str, Exception] = {}
    for some in _chunks(commands):
        for server, its_own in _by_server(redis, some).items():
            if server in away:
                continue
            try:
                await pipelined(redis, its_own)
            except ERRORS as error:
                away[server] = error
    for first in away.values():
        raise first


async def _know_servers(redis: Redis) -> None:
    if isinstance(redis, RedisCluster):
        await redis.initialize()


def _by_server(redis: Redis, commands: list[Command]) -> dict[str, list[Command]]:
    found: dict[str, list[Command]] = {}
    for command in commands:
        key = command[3] if command[0] == "EVAL" else command[1]
        found.setdefault(_server(redis, str(key)), []).append(command)
    return found


def _server(redis: Redis, key: str) -> str:
    """Its name; empty where there is one, or none holds the key."""
    if not isinstance(redis, RedisCluster):
        return ""
    servers = redis.nodes_manager.slots_cache.get(redis.keyslot(key))
    return servers[0].name if servers else ""


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
    except ERRORS as error:
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
