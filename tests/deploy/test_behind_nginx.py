"""A server as docs/deploy.md sets it up: the units' commands as their users, nginx with
TLS in front, and the main job through it."""

import contextlib
import io
import os
import re
import secrets
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import aiohttp
import psutil
import pytest
from aiohttp.abc import AbstractResolver

from tests.deploy.front import HOST, Front
from tests.deploy.tools import tool
from tests.deploy.units import Unit, hand_over
from tests.support.browser import chromium, find_chromium, plays
from tests.support.client import App
from tests.support.commands import command
from tests.support.process import Process
from tests.support.relay import by_port
from tests.support.stack import Stack, until

PHONE, OTHER_PHONE = "127.0.0.2", "127.0.0.3"
SIGN_INS = 2  # a minute


class Server:
    """Ours: three roles, a node and nginx."""

    def __init__(self, stack: Stack, front: Front) -> None:
        self.stack = stack
        self.front = front
        self.url = f"https://{HOST}:{front.tls}"
        self.units: list[Process] = []

    @contextlib.asynccontextmanager
    async def phone(self, address: str) -> AsyncIterator[App]:
        """One that comes from this address, and knows the host's certificate."""
        trusted = ssl.create_default_context(cafile=str(self.front.certificate))
        connector = aiohttp.TCPConnector(
            ssl=trusted, resolver=_Here(), local_addr=(address, 0)
        )
        async with aiohttp.ClientSession(connector=connector) as http:
            yield App(http, self.url)


class _Here(AbstractResolver):
    """Every name is this machine."""

    async def resolve(
        self, host: str, port: int = 0, family: int = socket.AF_INET
    ) -> list[Any]:
        found = {"hostname": host, "host": "127.0.0.1", "port": port}
        return [found | {"family": socket.AF_INET, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        pass


@pytest.fixture(params=["sandbox", "mediamtx"])
async def server(
    request: pytest.FixtureRequest,
    server_folder: Path,
    database_url: str,
    redis_url: str,
) -> AsyncIterator[Server]:
    nginx = tool("nginx")
    if request.param == "mediamtx" and not os.environ.get("MEDIAMTX_BIN"):
        pytest.skip("MEDIAMTX_BIN names no MediaMTX")
    async with (
        by_port(database_url) as database,
        Stack(request.param, server_folder, database, redis_url) as stack,
    ):
        found = Server(stack, Front(server_folder, stack.ports))
        async with _started(found, nginx):
            yield found


@contextlib.asynccontextmanager
async def _started(server: Server, nginx: str) -> AsyncIterator[None]:
    stack, folder = server.stack, server.stack.folder
    front = await Process.start(
        folder / "nginx.log", nginx, "-c", str(server.front.configuration())
    )
    roles = [Unit("control-plane@.service", folder, r) for r in ("auth", "api", "work")]
    _credentials(stack, roles[0])
    try:
        for unit in roles:
            server.units.append(await _role(server, unit))
        server.units.append(await _node(server))
        await until(lambda: _is_up(server))
        yield
    finally:
        for process in (*reversed(server.units), front):
            await process.stop()


def _credentials(stack: Stack, unit: Unit) -> None:
    values = {
        "secret": secrets.token_hex(24),
        "database_url": stack.env["DATABASE_URL"],
        "migrations_url": stack.env["DATABASE_URL"],
        "redis_url": stack.env["REDIS_URL"],
    }
    for name in unit.credentials:
        hand_over(stack.folder / name, values[name])


def _environment(server: Server, unit: Unit) -> dict[str, str]:
    """The unit's own, on the ports of this test, where anyone may sign in."""
    given = ("CONTROL_PLANE_", "DATABASE_URL", "REDIS_URL")
    ports = {f"CONTROL_PLANE_{n}_PORT": str(p) for n, p in server.stack.ports.items()}
    system = {n: v for n, v in os.environ.items() if not n.startswith(given)}
    return (
        system
        | unit.environment
        | ports
        | {
            "CONTROL_PLANE_ENV": "development",
            "CONTROL_PLANE_SIGN_INS_PER_MINUTE": str(SIGN_INS),
            "CONTROL_PLANE_PUBLIC_URL": server.url,
            "CONTROL_PLANE_NODE_HLS_URL": server.url,
            "CONTROL_PLANE_NODE_WEBRTC_URL": server.url,
            "CONTROL_PLANE_RECONCILE_SECONDS": "1",
        }
    )


async def _role(server: Server, unit: Unit) -> Process:
    ours = (str(Path(sys.executable).with_name("control-plane")),)
    words = unit.command({"/opt/control-plane/bin/control-plane": ours})
    server.stack.env = _environment(server, unit)
    log = server.stack.folder / "service.log"
    return await Process.start(log, *words, env=server.stack.env)


async def _node(server: Server) -> Process:
    stack = server.stack
    proxy = "--trusted-proxy=127.0.0.1"
    text = await stack.command("mediamtx-config", "--bind=127.0.0.1", proxy)
    hand_over(stack.folder / "mediamtx.yml", text)
    sandbox = (sys.executable, "-m", "mediamtx.sandbox")
    real = (stack.binary,) if stack.kind == "mediamtx" else sandbox
    unit = Unit("mediamtx.service", stack.folder)
    words = unit.command({"/usr/local/bin/mediamtx": real})
    return await Process.start(stack.folder / "node.log", *words)


async def _is_up(server: Server) -> bool:
    said = (await command(server.stack.env, "health", "--nodes")).output
    return said.count(": ok") == 3 and "takes broadcasts" in said


async def test_a_broadcast_is_seen_by_a_phone(server: Server) -> None:
    async with server.phone(PHONE) as phone:
        host = await phone.sign_in("ann")
        live = (await phone.ask("liveStream", {}, host.token))["LiveStreaming"]
        assert live["playback_url"].startswith(f"{server.url}/live/")
        assert live["whip_url"].startswith(f"{server.url}/live/")
        await server.stack.publish(live["rtmp_url"].replace(HOST, "127.0.0.1"))
        await until(lambda: _is_live(phone, live["id"]))
        await _reads(phone, live["playback_url"])
        await _follows(phone, live["id"])
        await _whip_goes_to_its_own_server(server, phone, live["whip_url"])
        await _is_known_by_its_own_address(server, phone)
        await _is_sent_to_tls(server, phone)
        await _is_refused_by_the_service_alone(phone)
    await _plays_in_a_browser(server, live["id"])
    _is_written_with_its_own_address(server)
    _runs_without_rights(server)


async def _is_live(phone: App, session: str) -> bool:
    shown = await phone.ask("showLiveStream", {"id": session})
    return bool(shown["LiveStreaming"]["status"] == "live")


async def _reads(phone: App, url: str) -> None:
    """From the playlist to a segment."""
    while ".m3u8" in url:
        async with phone.http.get(url) as response:
            text = await response.text()
            assert response.status == 200, text
            assert "max-age" in response.headers["Strict-Transport-Security"]
            names = [line for line in text.splitlines() if line and line[0] != "#"]
            url = urljoin(str(response.url), names[-1])
    async with phone.http.get(url) as response:
        assert response.status == 200
        assert len(await response.read()) > 1000


async def _follows(phone: App, session: str) -> None:
    """Events come through while the stream goes on."""
    async with phone.http.get(f"{phone.base}/watch/{session}/events") as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        await response.content.readuntil(b"data:")


async def _whip_goes_to_its_own_server(server: Server, phone: App, url: str) -> None:
    """The sandbox has none."""
    async with phone.http.post(url, data=b"no offer") as response:
        assert response.status == (400 if server.stack.kind == "mediamtx" else 502)


async def _is_known_by_its_own_address(server: Server, phone: App) -> None:
    """The limit is each address's own, whatever somebody claims."""
    body = b'{"social":"google","social_id":"s","username":"bob"}'
    claim = {"X-Forwarded-For": OTHER_PHONE, "Content-Type": "application/json"}
    codes = [
        (await phone.raw("registerUser", body, claim))["code"]
        for _ in range(SIGN_INS + 1)
    ]
    assert codes[-1] == 429
    async with server.phone(OTHER_PHONE) as other:
        await other.sign_in("cat")


async def _is_sent_to_tls(server: Server, phone: App) -> None:
    url = f"http://{HOST}:{server.front.plain}/watch/1?a=b"
    async with phone.http.get(url, allow_redirects=False) as response:
        assert response.status == 301
        assert response.headers["Location"] == f"https://{HOST}/watch/1?a=b"


async def _is_refused_by_the_service_alone(phone: App) -> None:
    """What is too big for it or not there, in the shape that the apps know."""
    for path, code in ("/api/showGifts", 400), ("/postVideo", 201):
        body = io.BytesIO(b"x" * 2_000_000)
        async with phone.http.post(phone.base + path, data=body) as response:
            assert response.status == 200, path
            assert (await response.json())["code"] == code


async def _plays_in_a_browser(server: Server, session: str) -> None:
    if find_chromium() is None:
        return
    rule = f"--host-resolver-rules=MAP {HOST} 127.0.0.1"
    async with chromium(more=(rule,)) as browser:
        page = await browser.new_page(ignore_https_errors=True)
        await page.goto(f"{server.url}/watch/{session}")
        await plays(page)


def _is_written_with_its_own_address(server: Server) -> None:
    log = server.front.log.read_text()
    assert re.search(rf'^{PHONE} \[.*\] "GET /live/.*m3u8" 200 ', log, re.M)
    assert "token" not in log
    assert "session=" not in log
    if server.stack.kind == "mediamtx":
        assert PHONE in (server.stack.folder / "node.log").read_text()


def _runs_without_rights(server: Server) -> None:
    if os.geteuid() == 0:
        users = {psutil.Process(unit.process.pid).uids() for unit in server.units}
        assert 0 not in {number for user in users for number in user}
