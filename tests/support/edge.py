"""Edges: nginx with the file that `edge-config` writes, and a MediaMTX that pulls; and
readers of HLS in this process."""

import asyncio
import contextlib
import os
import re
import signal
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.deploy.tools import tool
from tests.support.commands import command
from tests.support.nginx import configured
from tests.support.ports import free_ports
from tests.support.process import Process
from tests.support.stack import PORTS, Json, Stack, until

URI = re.compile(r'URI="([^"]+)"')


@dataclass
class Origin:
    """Between a cache and the node: which paths were asked for."""

    target: str
    url: str = ""
    asked: Counter[str] = field(default_factory=Counter)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._pass)
        async with aiohttp.ClientSession() as self._http, TestServer(app) as server:
            self.url = f"http://{server.host}:{server.port}"
            yield

    async def _pass(self, request: web.Request) -> web.Response:
        self.asked[request.path_qs] += 1
        headers = {"Authorization": request.headers.get("Authorization", "")}
        url = f"{self.target}{request.path_qs}"
        async with self._http.get(url, headers=headers) as answer:
            type_ = {"Content-Type": answer.headers.get("Content-Type", "")}
            body = await answer.read()
            return web.Response(status=answer.status, body=body, headers=type_)


class CacheEdge:
    process: Process

    def __init__(self, stack: Stack, folder: Path, origin: str) -> None:
        self.name = f"cache-{stack.unique()}"
        self.stack = stack
        self.folder = folder
        self.origin = origin
        [self.port] = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"

    @contextlib.asynccontextmanager
    async def running(self, *more: str) -> AsyncIterator["CacheEdge"]:
        """``more``: of what `nodes add` takes."""
        await self.stack.command(
            *("nodes", "add", self.name, "--role", "cache", "--api", self.url),
            *("--host", "127.0.0.1", "--hls-url", self.url, *more),
        )
        around = configured(self.folder, await self.configuration())
        self._command = tool("nginx"), "-c", str(around)
        try:
            await self.start()
            yield self
        finally:
            await self.process.stop()
            await self.stack.command("nodes", "remove", self.name)

    async def start(self) -> None:
        self.process = await Process.start(self.folder / "nginx.log", *self._command)
        await until(self._answers)

    async def kill(self) -> None:
        """Its workers with it."""
        os.killpg(self.process.process.pid, signal.SIGKILL)
        await self.process.ended()

    async def configuration(self, *more: str) -> str:
        folder = str(self.folder)
        return await self.stack.command(
            *("edge-config", "--node", self.name, "--origin", f"local={self.origin}"),
            *("--listen", f"127.0.0.1:{self.port}", "--folder", folder),
            *("--logs", folder, *more),
        )

    async def address(self, live: Json, old_token: str = "") -> str:
        """What `watch` gives to somebody who is sent here."""
        body = {"id": live["id"], "token": old_token}
        watch = (await self.stack.ask("watch", body))["Watch"]
        return f"{self.url}/{watch['token']}/local/{live['path']}/index.m3u8"

    async def _answers(self) -> bool:
        try:
            async with self.stack.http.get(f"{self.url}/healthz") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False


class MediaEdge:
    """A MediaMTX that serves what it pulls from the stack's node."""

    process: Process

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.name = f"edge-{stack.unique()}"
        self.stack = stack
        self.folder = folder
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        self.url = f"http://127.0.0.1:{self.ports['HLS']}"

    @contextlib.asynccontextmanager
    async def running(self, *more: str) -> AsyncIterator["MediaEdge"]:
        """``more``: of what `nodes add` takes."""
        api = f"http://127.0.0.1:{self.ports['API']}"
        await self.stack.command(
            *("nodes", "add", self.name, "--role", "edge", "--api", api),
            *("--host", "127.0.0.1", "--hls-url", self.url, *more),
        )
        self._config = self.folder / f"{self.name}.yml"
        self._config.write_text(await self._configuration())
        try:
            await self.start()
            yield self
        finally:
            await self.process.stop()
            await self.stack.command("nodes", "remove", self.name)

    async def start(self) -> None:
        log = self.folder / f"{self.name}.log"
        self.process = await Process.start(log, self.stack.binary, str(self._config))

    async def kill(self) -> None:
        await self.process.kill()

    async def address(self, live: Json, old_token: str = "") -> str:
        body = {"id": live["id"], "token": old_token}
        watch = (await self.stack.ask("watch", body))["Watch"]
        return f"{self.url}/local/{live['path']}/index.m3u8?token={watch['token']}"

    async def _configuration(self) -> str:
        origin = f"local=rtsp://127.0.0.1:{self.stack.ports['RTSP']}"
        here = {f"CONTROL_PLANE_{n}_PORT": str(p) for n, p in self.ports.items()}
        said = await command(
            self.stack.env | here,
            *("mediamtx-config", "--node", self.name, "--bind", "127.0.0.1"),
            *("--role", "edge", "--origin", origin),
        )
        assert said.exit_code == 0, said.output
        return said.stdout


class HlsReader:
    """Plays all of a stream's tracks from its end on, until it is stopped."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self.url = url
        self.bytes = 0
        self.requests = 0
        self.pause = 0.5  # seconds between two looks at the playlists
        self.statuses: Counter[int] = Counter()
        self._seen: set[str] = set()

    @contextlib.asynccontextmanager
    async def playing(self) -> AsyncIterator["HlsReader"]:
        task = asyncio.create_task(self._play())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def moves(self) -> None:
        """Until more bytes have come."""
        before = self.bytes

        async def moved() -> bool:
            return self.bytes > before

        await until(moved)

    async def rests(self) -> None:
        """Until it is refused once more, and has got nothing since it was last."""

        async def refused() -> bool:
            before, denied = self.bytes, self._denied
            await until(lambda: self._denied_again(denied))
            return self.bytes == before

        await until(refused)

    @property
    def _denied(self) -> int:
        return self.statuses[401] + self.statuses[403]

    async def _denied_again(self, before: int) -> bool:
        return self._denied > before

    async def ends_with(self, status: int) -> None:
        async def met() -> bool:
            return self.statuses[status] > 0

        await until(met)

    async def _play(self) -> None:
        playlists: list[str] = []
        while True:
            playlists = playlists or await self.names(self.url)
            for playlist in playlists:
                names = await self.names(playlist)
                if not names:
                    playlists = []  # it begins anew
                for name in names[-3:]:
                    if name not in self._seen:
                        self._seen.add(name)
                        self.bytes += len(await self._get(name))
            await asyncio.sleep(self.pause)

    async def gets(self, url: str, status: int) -> bool:
        before = self.statuses[status]
        await self._get(url)
        return self.statuses[status] > before

    async def names(self, url: str) -> list[str]:
        text = (await self._get(url)).decode()
        lines = [one for one in text.splitlines() if one and one[0] != "#"]
        return [urljoin(url, name) for name in [*lines, *URI.findall(text)]]

    async def _get(self, url: str) -> bytes:
        """Nothing, if it was refused."""
        async with self._http.get(url) as response:
            self.requests += 1
            self.statuses[response.status] += 1
            return await response.read() if response.status == 200 else b""
