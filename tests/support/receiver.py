"""Somebody's receiver of webhooks, as a real server on a free port."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook

from tests.support.ports import free_ports

WITHIN = 60.0  # seconds
Json = dict[str, Any]


@dataclass(frozen=True)
class Got:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float  # of the monotonic clock

    @property
    def event(self) -> Json:
        found: Json = json.loads(self.body)
        return found

    def verify(self, secret: str) -> None:
        Webhook(secret).verify(self.body, self.headers)


Misbehave = Callable[[web.Request, Json], Awaitable[web.StreamResponse | None]]


async def behave(_request: web.Request, _event: Json) -> web.StreamResponse | None:
    return None


@dataclass
class Receiver:
    """``misbehave`` may answer, or do worse; None: it takes what came. ``challenged``:
    the same, of challenges. ``got`` is everything that came, ``taken`` the events among
    it that were answered well."""

    url: str
    misbehave: Misbehave = behave
    got: list[Got] = field(default_factory=list)
    taken: list[Json] = field(default_factory=list)
    answers_challenges: bool = True
    challenged: Misbehave = behave
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        got = Got(
            request.path, dict(request.headers), await request.read(), time.monotonic()
        )
        self.got.append(got)
        self._news.set()
        if got.event["type"] == "webhook.challenge":
            if (answer := await self.challenged(request, got.event)) is not None:
                return answer
            told = got.event["data"]["challenge"] if self.answers_challenges else "?"
            return web.json_response({"challenge": told})
        answer = await self.misbehave(request, got.event)
        if answer is not None:
            return answer
        self.taken.append(got.event)
        self._news.set()
        return web.Response(text="thank you")

    async def until(self, enough: Callable[[], object]) -> None:
        async with asyncio.timeout(WITHIN):
            while not enough():
                self._news.clear()
                await self._news.wait()

    async def takes(self, count: int) -> list[Json]:
        await self.until(lambda: len(self.taken) >= count)
        return self.taken

    def of(self, subject_id: int) -> list[int]:
        """The numbers of a subject's events, each where it was taken first."""
        seqs = (one["seq"] for one in self.taken if one.get("subject_id") == subject_id)
        return list(dict.fromkeys(seqs))


@contextlib.asynccontextmanager
async def receiver(
    host: str = "127.0.0.1", port: int = 0, tls: SSLContext | None = None
) -> AsyncIterator[Receiver]:
    port = port or free_ports(1)[0]
    scheme = "http" if tls is None else "https"
    found = Receiver(f"{scheme}://{host}:{port}/hook")
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", found.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, host, port, ssl_context=tls).start()
    try:
        yield found
    finally:
        await runner.cleanup()
