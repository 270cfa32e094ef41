"""A node of any kind on free ports, with the config that we write for it, and those
who use it: encoders and viewers."""

import contextlib
import itertools
import os
import shlex
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import yaml

from mediamtx.render import NodeConfig, render
from tests.contract.plane import (
    API_PASSWORD,
    API_USER,
    KEY,
    SECRET,
    Plane,
    control_plane,
)
from tests.contract.recorded import Json, recorded
from tests.support import media
from tests.support.ports import free_ports
from tests.support.process import Process
from tests.support.stack import until

COPY = ("-c", "copy")
READ_TIMEOUT = 4.0  # seconds; ours is 10, and a test would wait for it


class Kind(NamedTuple):
    version: str
    #: Names the real server's binary; empty for the sandbox node.
    variable: str = ""


KINDS = {
    "sandbox": Kind("v1.20.1"),
    "mediamtx": Kind("v1.20.1", "MEDIAMTX_BIN"),
    "sandbox-v1.17.1": Kind("v1.17.1"),
    "mediamtx-v1.17.1": Kind("v1.17.1", "MEDIAMTX_BIN_V1_17_1"),
}


class Seen(NamedTuple):
    """An answer as a viewer got it, redirects not followed."""

    status: int
    headers: Mapping[str, str]
    text: str


@dataclass
class Node:
    kind: str
    folder: Path
    plane: Plane
    http: aiohttp.ClientSession
    config: NodeConfig
    process: Process
    _encoders: list[Process] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @property
    def version(self) -> str:
        return KINDS[self.kind].version

    @property
    def is_new(self) -> bool:
        """v1.20.1: HLS sessions, auth before media, escaped queries."""
        return self.version == "v1.20.1"

    @property
    def recorded(self) -> Mapping[str, Json]:
        return recorded(self.version)

    def new_path(self) -> str:
        return f"live/{next(self._numbers)}"

    def rtmp(self, path: str, query: str = f"key={KEY}") -> str:
        return f"rtmp://{self.config.rtmp}/{path}?{query}"

    async def api(self, what: str, method: str = "GET") -> tuple[int, Any]:
        """Asked with the control plane's rights."""
        url = f"http://{self.config.api}/v3/{what}"
        headers = {"Authorization": aiohttp.encode_basic_auth(API_USER, API_PASSWORD)}
        async with self.http.request(method, url, headers=headers) as response:
            if response.content_type == "application/json":
                return response.status, await response.json()
            return response.status, await response.text()

    async def items(self, name: str) -> list[Json]:
        """A list of the control API; one that must be there."""
        status, body = await self.api(f"{name}/list")
        assert status == 200, body
        found: list[Json] = body["items"]
        return found

    async def path(self, name: str) -> Json | None:
        return next(
            (one for one in await self.items("paths") if one["name"] == name), None
        )

    async def get(self, path: str, **headers: str) -> Seen:
        """As a viewer; ``path`` from the host on."""
        url = f"http://{self.config.hls}{path}"
        async with self.http.get(url, headers=headers, allow_redirects=False) as answer:
            return Seen(answer.status, answer.headers, await _text(answer))

    async def master(self, path: str, query: str = "", **headers: str) -> Seen:
        """The master playlist's own answer, past the cookie check."""
        check = ["cookieCheck=1"] if self.is_new else []
        full = "&".join([*check, *filter(None, [query])])
        return await self.get(f"/{path}/index.m3u8?{full}", **headers)

    async def publish(
        self, path: str, query: str = f"key={KEY}", how: Sequence[str] = COPY
    ) -> Process:
        """The clip, again and again, in real time; ``how``: what ffmpeg makes of it."""
        encoder = await Process.start(
            self.folder / f"encoder-{next(self._numbers)}.log",
            *(media.ffmpeg(), *media.endless()),
            *(*how, "-f", "flv", self.rtmp(path, query)),
        )
        self._encoders.append(encoder)
        return encoder

    async def go_live(
        self, path: str, query: str = f"key={KEY}", how: Sequence[str] = COPY
    ) -> tuple[Process, str]:
        """The encoder and its source id, once the node told that it is ready."""
        before = len(self.plane.asked_about(path, "publish"))
        encoder = await self.publish(path, query, how)
        asked = await self.plane.until(
            lambda: self.plane.asked_about(path, "publish")[before:]
        )
        source_id = asked[-1].body["id"]
        await self.plane.first_told(path, "ready", source_id)
        return encoder, source_id

    def keep(self, encoder: Process) -> None:
        """Beyond the end of the test that runs."""
        self._encoders.remove(encoder)

    async def dismiss_encoders(self) -> None:
        while self._encoders:
            await self._encoders.pop().kill()

    async def close(self) -> None:
        await self.dismiss_encoders()
        await self.process.stop()


async def _text(answer: aiohttp.ClientResponse) -> str:
    if answer.content_type.startswith("video/"):
        return f"<{len(await answer.read())} bytes>"
    return await answer.text()


def node_config(plane: Plane, folder: Path) -> NodeConfig:
    """RTMP, HLS and the API on free ports; hooks that send all they were given."""
    command = folder / "tell"
    tell = shlex.join([sys.executable, "-IS", str(Path(__file__).with_name("tell.py"))])
    command.write_text(f"#!/bin/sh\ntrap '' INT\nexec {tell} \"$@\"\n")
    command.chmod(0o755)
    rtmp, hls, api = (f"127.0.0.1:{port}" for port in free_ports(3))
    scheme, _, rest = plane.url.partition("://")
    return NodeConfig(
        auth_url=f"{scheme}://local:{SECRET}@{rest}/auth",
        hook_url=f"{plane.url}/hooks",
        hook_command=str(command),
        rtmp=rtmp,
        hls=hls,
        api=api,
        webrtc="",
        srt="",
        rtsp="",
        hls_segment=0.5,
    )


async def start(kind: str, config: NodeConfig, folder: Path, *options: str) -> Process:
    version, variable = KINDS[kind]
    file = folder / "mediamtx.yml"
    settings = yaml.safe_load(render(config, version))
    settings["readTimeout"] = f"{READ_TIMEOUT:g}s"
    file.write_text(yaml.safe_dump(settings, sort_keys=False))
    sandbox = (sys.executable, "-m", "mediamtx.sandbox", "--act-as", version, *options)
    command = (os.environ[variable],) if variable else sandbox
    return await Process.start(folder / "node.log", *command, str(file))


async def answers(node: Node) -> None:
    async def look() -> bool:
        if not node.process.running:
            raise AssertionError(node.process.log.read_text()[-2000:])
        with contextlib.suppress(aiohttp.ClientConnectionError):
            return (await node.api("info"))[0] == 200
        return False

    await until(look)


@contextlib.asynccontextmanager
async def running(kind: str, folder: Path, *options: str) -> AsyncIterator[Node]:
    """``options``: of the sandbox node."""
    async with control_plane() as plane, aiohttp.ClientSession() as http:
        for tries_left in (2, 1, 0):
            config = node_config(plane, folder)
            process = await start(kind, config, folder, *options)
            node = Node(kind, folder, plane, http, config, process)
            try:
                await answers(node)
            except AssertionError as error:
                await node.close()
                # Free ports are free for everybody until they are listened on.
                if tries_left and "address already in use" in str(error).lower():
                    continue
                raise
            break
        try:
            yield node
        finally:
            await node.close()
