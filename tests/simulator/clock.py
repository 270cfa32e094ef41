"""What the service finds outside of itself, put in its place: the clock, chance, and
the drivers' ways out. None of its own code is touched."""

import asyncio
import contextlib
import datetime as real_datetime
import random
import secrets
import ssl
import sys
import time as real_time
from collections.abc import Awaitable, Callable, Iterator
from types import SimpleNamespace
from typing import Any
from unittest import mock

import aiohttp
import asyncpg

from control_plane.base.brief import Brief
from control_plane.live.service.measuring import Measuring
from tests.simulator.driver import Pool, Server
from tests.simulator.http import Session
from tests.simulator.loop import BEGIN, Loop
from tests.simulator.valkey import Valkey

#: Where every seed begins: in the middle of a month, which the log has a partition for.
EPOCH = real_datetime.datetime(2026, 6, 15, 12, tzinfo=real_datetime.UTC).timestamp()
#: Whose attribute is what instead.
Replaced = tuple[object, str, object]
OURS = ("control_plane", "hooks", "mediamtx")

_certificates = ssl.create_default_context()  # takes long, and nobody looks at it


def wall(loop: Loop) -> float:
    """Unix seconds."""
    return EPOCH + loop.time() - BEGIN


@contextlib.contextmanager
def simulated(loop: Loop, server: Server, valkey: Valkey, seed: int) -> Iterator[None]:
    chance = random.Random(seed)  # noqa: S311
    random.seed(seed)
    with contextlib.ExitStack() as stack:
        for target, name, value in [
            *_outside(server, valkey, chance),
            *_clocks(loop),
        ]:
            stack.enter_context(mock.patch.object(target, name, value))
        yield


def _outside(server: Server, valkey: Valkey, chance: random.Random) -> list[Replaced]:
    return [
        (secrets, "token_bytes", lambda n=None: chance.randbytes(n or 32)),
        (asyncpg, "create_pool", _create_pool(server)),
        (asyncpg, "connect", lambda *_, **__: server.connect()),
        (aiohttp, "ClientSession", Session),
        (aiohttp, "TCPConnector", mock.Mock()),
        (ssl, "create_default_context", lambda **_: _certificates),
        (asyncio, "open_connection", valkey.open_connection),
    ]


def _create_pool(server: Server) -> Callable[..., Awaitable[Pool]]:
    async def create_pool(_url: str, *, max_size: int, **_: Any) -> Pool:
        return Pool(server, max_size)

    return create_pool


def _clocks(loop: Loop) -> Iterator[Replaced]:
    """Wherever a module of ours looks at the time."""

    class Datetime(real_datetime.datetime):
        @classmethod
        def now(cls, tz: real_datetime.tzinfo | None = None) -> Any:
            return real_datetime.datetime.fromtimestamp(wall(loop), tz)

    time = SimpleNamespace(
        monotonic=loop.time, perf_counter=loop.time, time=lambda: wall(loop)
    )
    # These took theirs when they were defined.
    yield Brief.__init__, "__defaults__", (time.monotonic,)
    yield Measuring.__init__, "__defaults__", (time.time,)
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in OURS:
            if getattr(module, "time", None) is real_time:
                yield module, "time", time
            if getattr(module, "datetime", None) is real_datetime.datetime:
                yield module, "datetime", Datetime
