"""A proxy between a node and the service, which can lose, double or delay messages.
It stands where the real server sends them, so faults hit that one too."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web


@dataclass
class Proxy:
    """Between a node and us. A rule gets the event's name (``auth``, ``ready`` …) and
    says what happens to this message."""

    target: int
    port: int = 0
    lose: set[str] = field(default_factory=set)
    double: set[str] = field(default_factory=set)
    delay: dict[str, float] = field(default_factory=dict)  # seconds
    passed: list[tuple[str, str]] = field(default_factory=list)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    def clear(self) -> None:
        """No rule, and nothing has passed."""
        for rule in (self.lose, self.double, self.delay, self.passed):
            rule.clear()

    async def until_passed(self, event: str, path: str) -> None:
        """Until a hook of this path has been delivered."""
        async with asyncio.timeout(60.0), self._news:
            await self._news.wait_for(lambda: (event, path) in self.passed)

    async def handle(self, request: web.Request) -> web.Response:
        event = request.path.rpartition("/")[2]
        body = await request.read()
        if event in self.lose:
            return web.Response(status=204)
        if event in self.delay:
            await asyncio.sleep(self.delay[event])
        answer = await self._forward(request, body)
        if event in self.double:
            await self._forward(request, body)
        async with self._news:
            self.passed.append((event, _path(body)))
            self._news.notify_all()
        return answer

    async def _forward(self, request: web.Request, body: bytes) -> web.Response:
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() in ("authorization", "content-type")
        }
        url = f"http://127.0.0.1:{self.target}{request.path_qs}"
        try:
            async with (
                aiohttp.ClientSession() as http,
                http.post(url, data=body, headers=headers) as response,
            ):
                return web.Response(status=response.status)
        except aiohttp.ClientError:
            return web.Response(status=502)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port)
        await site.start()
        try:
            yield
        finally:
            await runner.cleanup()


def _path(body: bytes) -> str:
    """Which one a hook or an auth call is about."""
    found = re.search(r'^MTX_PATH=(.*)$|"path":"([^"]*)"', body.decode(), re.MULTILINE)
    return (found[1] or found[2]) if found else ""
