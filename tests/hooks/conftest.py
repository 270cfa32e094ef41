"""The service in this process, without a node: the tests are the node."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest

from control_plane.base.secrets import Secrets
from control_plane.config.settings import load
from control_plane.roles.running import RoleName
from tests.support.client import App
from tests.support.client import Json as Json
from tests.support.service import Ports, serve
from tests.support.stack import until

SECRET = "a secret of thirty-two characters"


@dataclass
class Service:
    http: aiohttp.ClientSession
    ports: Ports
    node: str = "local"
    node_secret: str = ""

    @property
    def hooks(self) -> str:
        return f"http://127.0.0.1:{self.ports.internal}/hooks/mediamtx/{self.node}"

    def beside(self, internal: int) -> "Service":
        """Another listener of nodes for the same."""
        return replace(self, ports=replace(self.ports, internal=internal))

    @property
    def secret(self) -> str:
        return self.node_secret or Secrets(SECRET).node(self.node)

    async def auth(self, payload: object, secret: str | None = None) -> int:
        """The status that MediaMTX gets; the body is always empty."""
        secret = self.secret if secret is None else secret
        basic = aiohttp.encode_basic_auth(self.node, secret)
        async with self.http.post(
            f"{self.hooks}/auth",
            data=payload if isinstance(payload, bytes) else json.dumps(payload),
            headers={"Content-Type": "application/json", "Authorization": basic},
            allow_redirects=False,
        ) as response:
            assert await response.read() == b""
            return response.status

    async def lets_in(self, payload: Json) -> bool:
        """After a while, as for an encoder that tries again: a first look-up may take
        longer than an answer is allowed to on a machine that is busy."""

        async def allowed() -> bool:
            return await self.auth(payload) == 200

        return bool(await until(allowed, pause=0.3))

    async def hook(
        self, event: str, path: str, source: str, secret: str | None = None
    ) -> int:
        """A lifecycle message as notify.sh sends it."""
        lines = [
            f"CONTROL_PLANE_HOOK_SECRET={self.secret if secret is None else secret}",
            f"MTX_PATH={path}",
            "MTX_SOURCE_TYPE=rtmpConn",
            f"MTX_SOURCE_ID={source}",
        ]
        async with self.http.post(
            f"{self.hooks}/{event}", data="\n".join(lines)
        ) as response:
            return response.status

    @property
    def app(self) -> App:
        return App(self.http, f"http://127.0.0.1:{self.ports.public}")

    async def says(self, wanted: str) -> bool:
        """Whether what it says of being ready begins so."""
        url = f"http://127.0.0.1:{self.ports.internal}/readyz"
        async with self.http.get(url) as response:
            return (await response.text()).startswith(wanted)

    async def call(self, name: str, body: Json, token: str = "") -> Json:
        return await self.app.call(name, body, token)

    async def ask(self, name: str, body: Json, token: str = "") -> Any:
        """The ``msg`` of an answer that must be good."""
        return await self.app.ask(name, body, token)

    async def go_live(self, name: str = "ann") -> tuple[Json, str]:
        host = await self.app.sign_in(name)
        live = (await host.ask("liveStream", {}))["LiveStreaming"]
        return live, host.token

    async def publish(self, live: Json, source: str = "source-1") -> None:
        """As a node would: auth, then ready."""
        assert await self.lets_in(publish(live["path"], live["key"], id=source))
        assert await self.hook("ready", live["path"], source) == 204

    async def status(self, live: Json) -> str:
        shown = await self.ask("showLiveStream", {"id": live["id"]})
        return str(shown["LiveStreaming"]["status"])


def publish(path: str, key: str, **changes: object) -> Json:
    """v1.20.1's payload for RTMP with ``?key=``."""
    return {
        "ip": "203.0.113.7",
        "user": "",
        "password": "",
        "token": "",
        "action": "publish",
        "path": path,
        "protocol": "rtmp",
        "id": "6f0d2c3e-7f0b-4a1b-9f6d-0d6b1f0e7a11",
        "query": f"key={key}" if key else "",
        "userAgent": "FMLE/3.0",
    } | changes


def read(path: str, **changes: object) -> Json:
    """v1.20.1's payload for an HLS viewer."""
    return publish(path, "", action="read", protocol="hls") | changes


@pytest.fixture
def settings() -> dict[str, str]:
    """What a test module may add to."""
    return {}


@pytest.fixture
def roles() -> Sequence[RoleName]:
    """What runs, unless a test says otherwise."""
    return "auth", "api"


@pytest.fixture
async def service(
    database_url: str,
    redis_url: str,
    settings: dict[str, str],
    roles: Sequence[RoleName],
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Service]:
    values = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "CONTROL_PLANE_SECRET": SECRET,
        "CONTROL_PLANE_ENV": "development",
        "CONTROL_PLANE_PUBLIC_HOST": "127.0.0.1",
        "CONTROL_PLANE_PUBLIC_PORT": "0",
        "CONTROL_PLANE_INTERNAL_PORT": "0",
        "CONTROL_PLANE_API_METRICS_PORT": "0",
        "CONTROL_PLANE_WORK_METRICS_PORT": "0",
        "CONTROL_PLANE_OPERATOR_PORT": "0",
        "CONTROL_PLANE_POSTGRES_CONNECTIONS": "3",
    } | settings
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    async with serve(load(), roles) as ports, aiohttp.ClientSession() as http:
        yield Service(http, ports)
