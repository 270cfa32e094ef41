"""The whole thing on free ports: the service as its own process, a node (the sandbox,
or a real MediaMTX), encoders, and a proxy between node and service that can lose,
double, delay or hold messages."""

import asyncio
import contextlib
import os
import re
import secrets
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from control_plane.base.database import open_pool
from control_plane.live.service.nodes import NO_NODE
from deploy.local.folder import CHECKOUT
from tests.support import media
from tests.support.client import App
from tests.support.client import Json as Json
from tests.support.commands import command
from tests.support.money import kinds
from tests.support.ports import free_ports
from tests.support.process import Process
from tests.support.proxy import Proxy

HOOK = (CHECKOUT / "hooks" / "notify.sh").resolve(strict=True)
PATIENCE = 60.0  # seconds that nobody waits for on a quiet machine
NODE_PORTS = ["RTMP", "HLS", "WEBRTC", "WEBRTC_UDP", "SRT", "RTSP", "API"]
PORTS = [
    "PUBLIC",
    "INTERNAL",
    "API_METRICS",
    "WORK_METRICS",
    "OPERATOR",
    *NODE_PORTS,
]


async def until(
    what: Callable[[], Awaitable[object]],
    deadline: float = PATIENCE,
    pause: float = 0.1,
) -> Any:
    """What it gave once that was true. AssertionError after ``deadline`` seconds."""
    end = time.monotonic() + deadline
    last: object = None
    while time.monotonic() < end:
        last = await what()
        if last:
            return last
        await asyncio.sleep(pause)
    raise AssertionError(f"not within {deadline} s; last seen: {last!r}")


class Stack:
    def __init__(
        self, kind: str, folder: Path, database_url: str, redis_url: str
    ) -> None:
        self.kind = kind
        self.folder = folder
        self.ports = _ports(PORTS)
        self.proxy = Proxy(self.ports["INTERNAL"], free_ports(1)[0])
        self.env = {
            **os.environ,
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "CONTROL_PLANE_ENV": "development",
            "CONTROL_PLANE_SECRET": secrets.token_hex(16),
            "CONTROL_PLANE_INTERNAL_URL": f"http://127.0.0.1:{self.proxy.port}",
            "CONTROL_PLANE_RECONCILE_SECONDS": "1",
            "CONTROL_PLANE_RIGHTS_SECONDS": "1",
            "CONTROL_PLANE_WATCHING_AT_ONCE": "2",
            "CONTROL_PLANE_HEARTBEAT_SECONDS": "0",
            "CONTROL_PLANE_PREVIEW_SECONDS": "0",
            "CONTROL_PLANE_CACHES": "true",
            "CONTROL_PLANE_FFMPEG": media.ffmpeg(),
            "CONTROL_PLANE_PUBLIC_HOST": "127.0.0.1",
            "CONTROL_PLANE_NODE_SANDBOX": str(kind == "sandbox"),
            **_settings(self.ports),
        }
        self.service: Process | None = None
        self.node: Process | None = None
        self.hooks = True
        self.version = "v1.20.1"
        self.binary = os.environ.get("MEDIAMTX_BIN", "")
        self._stack = contextlib.AsyncExitStack()
        self._encoders: list[Process] = []
        self._published: list[tuple[str, Process, list[str]]] = []  # address, options
        self._nodes: list[Process] = []
        self._services: list[Process] = []
        self.base = f"http://127.0.0.1:{self.ports['PUBLIC']}"

    async def __aenter__(self) -> "Stack":
        await self._stack.__aenter__()
        self.http = await self._stack.enter_async_context(aiohttp.ClientSession())
        await self._stack.enter_async_context(self.proxy.running())
        return self

    async def __aexit__(self, *why: object) -> None:
        for process in [*self._encoders, *self._nodes, *self._services]:
            await process.kill()
        await self._stack.aclose()

    async def start(self) -> None:
        """The node first: a service that waits for one may call it lost."""
        if self.service is None:
            await self.start_node()
            await self.start_service()

    async def tidy(self) -> None:
        """Leaves what runs to the next test, without encoders and faults."""
        self._published.clear()
        while self._encoders:
            await self._encoders.pop().kill()
        self.proxy.clear()

    async def start_service(self, **changes: str) -> Process:
        env = self.env | changes
        service = await Process.start(
            self.folder / "service.log",
            *(sys.executable, "-m", "control_plane", "serve"),
            env=env,
        )
        self._services.append(service)
        self.service = service
        for place in ("PUBLIC", "INTERNAL", "WORK_METRICS"):
            port = env[f"CONTROL_PLANE_{place}_PORT"]
            await self._answers(f"http://127.0.0.1:{port}/readyz", service, 200)
        return service

    async def start_role(self, role: str, **changes: str) -> Process:
        """One process of it, which may be one of several."""
        process = await Process.start(
            self.folder / f"{role}-{len(self._services)}.log",
            *(sys.executable, "-m", "control_plane", "serve", "--role", role),
            env=self.env | changes,
        )
        self._services.append(process)

        async def serves() -> bool:
            said = process.log.read_text()
            assert process.running, said[-3000:]
            return "serving" in said

        await until(serves)
        return process

    async def start_node(self) -> None:
        self.node = await self._start_node("local", self.ports)

    async def add_node(self, name: str, **options: str) -> Mapping[str, int]:
        """One more, which runs. Its ports."""
        ports = _ports(NODE_PORTS)
        api = f"http://127.0.0.1:{ports['API']}"
        given = {
            "api": api,
            "host": "127.0.0.1",
            "rtmp-port": str(ports["RTMP"]),
            "hls-url": f"http://127.0.0.1:{ports['HLS']}",
        } | options
        await self._start_node(name, ports)
        words = [f"--{option}={value}" for option, value in given.items()]
        await self.command("nodes", "add", name, *words)
        return ports

    async def _start_node(self, name: str, ports: Mapping[str, int]) -> Process:
        config = self.folder / f"{name}.yml"
        hook = ["--hook-command", str(HOOK)] if self.hooks else []
        options = ["--node", name, "--bind", "127.0.0.1", "--for", self.version]
        told = self.env | _settings(ports)
        config.write_text(await _printed(told, "mediamtx-config", *options, *hook))
        node_env = await self.command("node-env", "--node", name)
        secret = node_env.strip().partition("=")[2]
        sandbox = (sys.executable, "-m", "mediamtx.sandbox")
        command = (self.binary,) if self.kind == "mediamtx" else sandbox
        node = await Process.start(
            self.folder / f"{name}.log",
            *command,
            str(config),
            env={**os.environ, "CONTROL_PLANE_HOOK_SECRET": secret},
        )
        self._nodes.append(node)
        api = f"http://127.0.0.1:{ports['API']}/v3/paths/list"
        # Who may use it, the service says, which starts later.
        await self._answers(api, node, 200, 401)
        return node

    async def command(self, *words: str) -> str:
        """What ``control-plane`` printed. AssertionError when it failed."""
        return await _printed(self.env, *words)

    @property
    def app(self) -> App:
        return App(self.http, self.base)

    async def call(self, name: str, body: Json, token: str = "") -> Json:
        return await self.app.call(name, body, token)

    async def ask(self, name: str, body: Json, token: str = "") -> Any:
        """The ``msg`` of an answer that must be good."""
        return await self.app.ask(name, body, token)

    def unique(self) -> str:
        """The end of a name that nobody has."""
        return secrets.token_hex(4)

    async def sign_in(self, name: str) -> str:
        """The token of a new user, whose name begins so."""
        account = await self.app.sign_in(f"{name}{self.unique()}")
        return account.token

    async def go_live(self, token: str, **more: object) -> Json:
        """While tests of other kinds run, the proxy of a stack that is shared stands
        still, and its node may count as lost: asked again until it is found."""

        async def started() -> Json | None:
            found = await self.call("liveStream", dict(more), token)
            return None if found["msg"] == NO_NODE else found

        found = await until(started)
        assert found["code"] == 200, found
        live: Json = found["msg"]["LiveStreaming"]
        return live

    async def show(self, session: str) -> Json:
        msg = await self.ask("showLiveStream", {"id": session})
        live: Json = msg["LiveStreaming"]
        return live

    async def status(
        self, session: str, wanted: str, deadline: float = PATIENCE
    ) -> Json:
        async def look() -> Json | None:
            live = await self.show(session)
            found = live["status"] == wanted
            if wanted == "live":
                await self._coming(live["path"], there=found)
            return live if found else None

        found: Json = await until(look, deadline)
        return found

    async def is_listed(self, **what: str) -> Json | None:
        """The live session that is listed with these values."""
        for one in await self.ask("showLiveStreams", {}):
            live: Json = one["LiveStreaming"]
            if what.items() <= live.items():
                return live
        return None

    async def listed(self, **what: str) -> Json:
        """As ``is_listed``, once it is."""

        async def look() -> Json | None:
            found = await self.is_listed(**what)
            if "channel_name" in what:
                path = f"live/{what['channel_name']}"
                await self._coming(path, there=found is not None)
            return found

        found: Json = await until(look)
        return found

    async def viewers(
        self, session: str, wanted: int, deadline: float = PATIENCE
    ) -> None:
        seen: set[object] = set()

        async def look() -> bool:
            count = (await self.show(session))["viewers"]
            seen.add(count)
            return bool(count == wanted)

        try:
            await until(look, deadline)
        except AssertionError as error:
            ended = [one for one in self._encoders if not one.running]
            said = [one.log.read_text()[-1000:] for one in ended]
            raise AssertionError(f"{error}; counted: {seen}; ended: {said}") from None

    async def events(self, session: str) -> list[str]:
        """The types of a session's events, in order. Of all that is committed: for its
        readers the log ends where any test is writing in the same Postgres."""
        async with open_pool(self.env["DATABASE_URL"]) as pool:
            return await kinds(pool, "session", int(session))

    async def publish(
        self,
        url: str,
        *,
        seconds: int = 600,
        bearer: str = "",
        key_frames: float = 0.5,
    ) -> Process:
        """A small moving picture with sound, in real time. ``bearer``: for WHIP;
        ``key_frames``: see ``media.endless``."""
        clip = media.endless("opus" if url.endswith("/whip") else "aac", key_frames)
        options = f"-t {seconds} -c copy {_output(url, bearer)}"
        words = [*clip, *options.split(), url]
        encoder = await self._ffmpeg("encoder.log", *words)
        self._published.append((url, encoder, words))
        return encoder

    async def _coming(self, path: str, *, there: bool) -> None:
        """Until it is there whoever published last comes again, as real encoders do:
        where Postgres takes its time, a key that is new may be refused."""
        named = re.compile(rf"\b{re.escape(path)}(?![\w-])")
        found = [one for one in self._published if named.search(one[0])]
        if there:
            self._published = [one for one in self._published if one not in found]
            return
        for _, encoder, words in found[-1:]:
            if not encoder.running and not encoder.stopped:
                again = await Process.start(encoder.log, media.ffmpeg(), *words)
                encoder.process = again.process

    async def loop(self, clip: Path, url: str) -> Process:
        """This one, again and again."""
        options = f"-re -stream_loop -1 -i {clip} -c copy {_output(url, '')}"
        return await self._ffmpeg("encoder.log", *media.QUIET, *options.split(), url)

    async def watch(self, url: str) -> Process:
        """A viewer who really pulls, in real time."""
        options = "-hide_banner -loglevel error -re -i"
        return await self._ffmpeg(
            "viewer.log", *options.split(), url, "-f", "null", "-"
        )

    async def save(self, url: str, file: Path, *options: str) -> Process:
        """A viewer who keeps each byte as it comes. ``options``: of the input."""
        output = ["-c", "copy", "-flush_packets", "1", "-f", "mpegts", str(file)]
        return await self._ffmpeg(
            "viewer.log", *media.QUIET, *options, "-i", url, *output
        )

    async def _ffmpeg(self, log: str, *options: str) -> Process:
        process = await Process.start(self.folder / log, media.ffmpeg(), *options)
        self._encoders.append(process)
        return process

    async def _answers(self, url: str, process: Process, *good: int) -> None:
        async def look() -> bool:
            if not process.running:
                raise AssertionError(process.log.read_text()[-3000:])
            try:
                async with self.http.get(url) as response:
                    return response.status in good
            except aiohttp.ClientError:
                return False

        await until(look)


def _ports(names: Sequence[str]) -> dict[str, int]:
    return dict(zip(names, free_ports(len(names)), strict=True))


def _settings(ports: Mapping[str, int]) -> dict[str, str]:
    return {f"CONTROL_PLANE_{name}_PORT": str(port) for name, port in ports.items()}


async def _printed(env: Mapping[str, str], *words: str) -> str:
    said = await command(env, *words)
    assert said.exit_code == 0, (words, said.output)
    return said.stdout


def _output(url: str, bearer: str) -> str:
    """ffmpeg's options for this protocol."""
    if url.startswith("rtmp"):
        return "-f flv"
    if url.startswith("rtsp"):
        return "-f rtsp -rtsp_transport tcp"
    if url.startswith("srt"):
        return "-f mpegts"
    return "-f whip" + (f" -authorization {bearer}" if bearer else "")
