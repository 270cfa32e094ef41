"""Redis or Valkey. The driver's errors end where a store's function ends."""

import contextlib
import functools
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, NamedTuple, ParamSpec, TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig

from control_plane.base.faults import Away

__all__ = [
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
#: Words that are packed at once: more would hold the event loop.
WORDS = 1000

Args = ParamSpec("Args")
Result = TypeVar("Result")


def open_redis(url: str) -> Redis:
    """Its pool passes over connections that the server has closed. With notifications
    of maintenance, which only Redis Cloud sends, it would not look (redis-py 8.1)."""
    return Redis.from_url(
        url,
        socket_timeout=2.0,
        socket_connect_timeout=1.0,
        decode_responses=True,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )


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
