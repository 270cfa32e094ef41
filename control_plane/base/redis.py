"""Redis or Valkey. The driver's errors end where a store's function ends."""

import contextlib
import functools
from collections.abc import Awaitable, Callable, Iterator
from typing import ParamSpec, TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError

from control_plane.base.faults import Away

__all__ = ["Redis", "asks_redis", "open_redis", "translated"]

Args = ParamSpec("Args")
Result = TypeVar("Result")


def open_redis(url: str) -> Redis:
    return Redis.from_url(
        url, socket_timeout=2.0, socket_connect_timeout=1.0, decode_responses=True
    )


async def ping(redis: Redis) -> None:
    """Raises Away."""
    with translated():
        await redis.ping()


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
