"""What we tell and ask MediaMTX, with real servers.

MEDIAMTX_BIN names v1.20.1; MEDIAMTX_BIN_V1_17_1 and MEDIAMTX_BIN_V1_3_0 older ones.
"""

import asyncio
import contextlib
import dataclasses
import os
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from mediamtx.client import Client
from mediamtx.payloads import View
from mediamtx.render import NodeConfig, render
from tests.support import media
from tests.support.looking import look
from tests.support.ports import free_ports

NOTIFY = Path(__file__).parents[2] / "hooks" / "notify.sh"
SECRET = "n0de-s3cret"
BINARIES = {
    "v1.20.1": "MEDIAMTX_BIN",
    "v1.17.1": "MEDIAMTX_BIN_V1_17_1",
    "v1.3.0": "MEDIAMTX_BIN_V1_3_0",
}
PICTURE = ("-an", "-c", "copy", "-f", "flv")


@pytest.fixture(params=BINARIES)
def version(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if not os.environ.get(BINARIES[name]):
        pytest.skip(f"{BINARIES[name]} is not set: no MediaMTX {name} to try")
    return name


@dataclasses.dataclass
class ControlPlane:
    """Answers auth and hooks as ours does, and remembers what was asked."""

    url: str = ""
    auth: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    hooks: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    #: Whether who sent a hook was still there for the answer.
    callers_waited: list[bool] = dataclasses.field(default_factory=list)
    #: While clear, an answer waits.
    answers_publish: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    answers_ready: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)

    async def answer_auth(self, request: web.Request) -> web.Response:
        asked = await request.json()
        expected = aiohttp.encode_basic_auth("local", SECRET)
        assert request.headers["Authorization"] == expected
        self.auth.append(asked)
        if asked["action"] == "publish":
            await self.answers_publish.wait()
        if asked["action"] in ("api", "metrics"):
            return web.Response(status=200 if asked["password"] == "s3cret" else 401)
        return web.Response()

    async def answer_hook(self, request: web.Request) -> web.Response:
        event, body = request.match_info["event"], await request.text()
        self.hooks.append((event, body))
        if event == "ready":
            await self.answers_ready.wait()
        self.callers_waited.append(request.transport is not None)
        return web.Response(status=204)

    def heard(self, event: str) -> bool:
        return event in [name for name, _ in self.hooks]


@pytest.fixture
async def plane() -> AsyncIterator[ControlPlane]:
    plane = ControlPlane()
    app = web.Application()
    app.router.add_post("/hooks/mediamtx/local/auth", plane.answer_auth)
    app.router.add_post("/hooks/mediamtx/local/{event}", plane.answer_hook)
    async with TestServer(app) as server:
        plane.url = str(server.make_url("/hooks/mediamtx/local"))
        plane.answers_publish.set()
        plane.answers_ready.set()
        yield plane
        plane.answers_publish.set()
        plane.answers_ready.set()


@pytest.fixture
def config(plane: ControlPlane, tmp_path: Path) -> NodeConfig:
    """All servers on, our command in a folder with a space."""
    folder = tmp_path / "my hooks"
    folder.mkdir()
    command = folder / "notify.sh"
    command.symlink_to(NOTIFY)
    scheme, _, rest = plane.url.partition("://")
    return NodeConfig(
        auth_url=f"{scheme}://local:{SECRET}@{rest}/auth",
        hook_url=plane.url,
        hook_command=str(command),
        rtmp=f"127.0.0.1:{free_ports(1)[0]}",
        hls=f"127.0.0.1:{free_ports(1)[0]}",
        webrtc=f"127.0.0.1:{free_ports(1)[0]}",
        webrtc_udp=f"127.0.0.1:{unused_udp_port()}",
        srt=f"127.0.0.1:{unused_udp_port()}",
        rtsp=f"127.0.0.1:{free_ports(1)[0]}",
        api=f"127.0.0.1:{free_ports(1)[0]}",
        metrics=f"127.0.0.1:{free_ports(1)[0]}",
        trusted_proxies=("127.0.0.1", "10.0.0.0/8"),
        webrtc_hosts=("127.0.0.1",),
        hls_segment=0.5,
    )


def unused_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextlib.asynccontextmanager
async def started(
    config: NodeConfig, version: str, folder: Path, user: str = "control"
) -> AsyncIterator[Client]:
    """A running server, and our client of it once it answered."""
    file = folder / "mediamtx.yml"
    file.write_text(render(config, version))
    process = await asyncio.create_subprocess_exec(
        os.environ[BINARIES[version]],
        str(file),
        cwd=folder,
        env={"PATH": os.environ["PATH"], "CONTROL_PLANE_HOOK_SECRET": SECRET},
    )
    try:
        async with aiohttp.ClientSession() as http:
            client = Client(http, f"http://{config.api}", user, "s3cret", 1.0)
            await until(client, lambda view: view.answer != "refused")
            yield client
    finally:
        # Its own answer to SIGINT is graceful in every version.
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(2)
        async with asyncio.timeout(60):
            await process.wait()


async def until(client: Client, true: Callable[[View], bool]) -> View:
    async with asyncio.timeout(60):
        while True:
            view = await client.look()
            if true(view):
                return view
            await asyncio.sleep(0.1)


async def eventually(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while True:
            if true():
                return
            await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def publishing(config: NodeConfig) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        *(media.ffmpeg(), *media.endless(), *PICTURE),
        f"rtmp://{config.rtmp}/live/7?key=K3y_abc",
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_it_starts_with_everything(
    version: str, config: NodeConfig, tmp_path: Path
) -> None:
    async with started(config, version, tmp_path) as client:
        (view, _), info = await look(client), await client.info()
    assert (view.answer, view.reason) == ("answered", "")
    assert view.lists_hls == (version == "v1.20.1")
    assert bool(view.started) == (version != "v1.3.0")
    assert info.version == (version if view.started else "")
    assert info.started == view.started


async def test_it_starts_with_nothing(
    version: str, config: NodeConfig, tmp_path: Path
) -> None:
    config = NodeConfig(
        config.auth_url,
        rtmp="",
        hls="",
        webrtc="",
        srt="",
        rtsp="",
        api=config.api,
    )
    async with started(config, version, tmp_path) as client:
        view, readers = await look(client)
    assert view == View("answered", "", view.started, [], False)
    assert readers == []


async def test_it_tells_of_a_publisher_and_cuts_it(
    version: str, config: NodeConfig, plane: ControlPlane, tmp_path: Path
) -> None:
    async with started(config, version, tmp_path) as client, publishing(config):
        view = await until(client, lambda v: any(p.ready for p in v.publishers))
        [publisher] = view.publishers
        await eventually(lambda: plane.heard("ready"))
        assert await client.kick("rtmpConn", publisher.source_id) == "kicked"
        await until(client, lambda v: not v.publishers)
        await eventually(lambda: plane.heard("not_ready"))
        assert await client.kick("rtmpConn", publisher.source_id) == "missing"
    assert (publisher.path, publisher.source_type) == ("live/7", "rtmpConn")
    assert publisher.query == ("" if version == "v1.3.0" else "key=K3y_abc")
    asked = next(asked for asked in plane.auth if asked["action"] == "publish")
    assert asked["id"] == publisher.source_id
    body = (
        f"CONTROL_PLANE_HOOK_SECRET={SECRET}\nMTX_PATH=live/7\n"
        f"MTX_SOURCE_TYPE=rtmpConn\nMTX_SOURCE_ID={publisher.source_id}\n"
    )
    assert plane.hooks == [("ready", body), ("not_ready", body)]


async def test_a_ready_message_survives_the_end_of_its_stream(
    version: str, config: NodeConfig, plane: ControlPlane, tmp_path: Path
) -> None:
    """MediaMTX interrupts the start command that still runs; it goes on."""
    plane.answers_ready.clear()
    async with started(config, version, tmp_path):
        async with publishing(config):
            await eventually(lambda: plane.heard("ready"))
        await eventually(lambda: plane.heard("not_ready"))
        plane.answers_ready.set()
        await eventually(lambda: len(plane.callers_waited) == 2)
    assert [event for event, _ in plane.hooks] == ["ready", "not_ready"]
    assert plane.callers_waited == [True, True]


async def test_it_lists_an_hls_viewer(
    version: str, config: NodeConfig, tmp_path: Path
) -> None:
    async with started(config, version, tmp_path) as client, publishing(config):
        await until(client, lambda view: bool(view.publishers))
        master = f"http://{config.hls}/live/7/index.m3u8?token=VIEW"
        await play(master)
        _, readers = await look(client)
    seen = [(one.path, one.query) for one in readers]
    expected = [("live/7", "token=VIEW")]
    assert seen == (expected if version == "v1.20.1" else [])
    assert all(reader.outbound_bytes > 0 for reader in readers)


async def play(master: str) -> None:
    async with asyncio.timeout(60), aiohttp.ClientSession() as http:
        while True:
            async with http.get(master) as response:
                if response.status == 200:
                    assert "#EXTM3U" in await response.text()
                    return
            await asyncio.sleep(0.1)


async def test_its_api_and_metrics_ask_our_endpoint(
    version: str, config: NodeConfig, plane: ControlPlane, tmp_path: Path
) -> None:
    if version == "v1.3.0":
        pytest.skip("MediaMTX before v1.6.0 asks nobody about its API")
    async with started(config, version, tmp_path) as client:
        assert (await client.look()).answer == "answered"
        assert {asked["user"] for asked in plane.auth} == {"control"}
        for url in (f"{config.api}/v3/info", f"{config.metrics}/metrics"):
            assert await asked_by_a_page(url) == (401, False)
    async with started(config, version, tmp_path, user="") as client:
        view = await client.look()
    assert (view.answer, "401" in view.reason) == ("silent", True)


async def asked_by_a_page(url: str) -> tuple[int, bool]:
    """The status, and whether the page may read the answer."""
    headers = {"Origin": "https://evil.example"}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.get(f"http://{url}") as response,
    ):
        return response.status, "Access-Control-Allow-Origin" in response.headers


async def test_a_hanging_auth_call_makes_it_silent(
    config: NodeConfig, version: str, plane: ControlPlane, tmp_path: Path
) -> None:
    plane.answers_publish.clear()
    async with started(config, version, tmp_path) as client, publishing(config):
        await eventually(lambda: "publish" in [one["action"] for one in plane.auth])
        view = await client.look()
        assert view == View("silent", "no answer within 1 s")
        plane.answers_publish.set()
        await until(client, lambda view: bool(view.publishers))
