"""Whatever secret is sent wherever: no log, metric, event or audit entry has it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from control_plane.audit.service import AuditLog
from control_plane.base.database import Pool, open_pool
from control_plane.base.secrets import Secrets
from control_plane.operators.model import SCOPES
from control_plane.operators.service import Tokens
from tests.api.fuzz import SERVED
from tests.support.api import settings
from tests.support.client import Account, App
from tests.support.log import whole_log
from tests.support.service import Ports, serve
from tests.support.stack import until

SECRET = "a secret of thirty-two characters"
API_KEY = "an-api-key-of-the-apps"
#: What would leave the rest to somebody who is signed out.
LAST = {"deleteUserAccount", "logout"}
HEADERS = ("Authorization", "Auth-Token", "Api-Key", "Idempotency-Key", "Origin")


@dataclass
class Town:
    """A service in which one host is live. ``secrets``: all that nobody may see."""

    http: aiohttp.ClientSession
    ports: Ports
    pool: Pool
    ann: Account
    path: str
    operator: str
    secrets: list[str] = field(default_factory=list)

    async def send(
        self, port: int, method: str, path: str, **more: Any
    ) -> aiohttp.ClientResponse:
        url = f"http://127.0.0.1:{port}{path}"
        async with self.http.request(method, url, **more) as response:
            if response.content_type != "text/event-stream":
                await response.read()
            return response

    async def metrics(self) -> str:
        ports = (self.ports.internal, self.ports.api_metrics, self.ports.work_metrics)
        told = ""
        for port in ports:
            async with self.http.get(f"http://127.0.0.1:{port}/metrics") as response:
                told += await response.text()
        return told

    def shown(self, text: str) -> list[str]:
        return [secret for secret in self.secrets if secret in text]


@pytest.fixture
async def town(database_url: str, redis_url: str) -> AsyncIterator[Town]:
    wanted = settings(database_url, redis_url, secret=SECRET, api_key=API_KEY)
    async with (
        serve(wanted) as ports,
        aiohttp.ClientSession() as http,
        aiohttp.ClientSession(headers={"Api-Key": API_KEY}) as phone,
        open_pool(database_url) as pool,
    ):
        ann = await App(phone, f"http://127.0.0.1:{ports.public}").sign_in("ann")
        live = (await ann.ask("liveStream", {}))["LiveStreaming"]
        operator = await Tokens(pool).create("all", SCOPES, timedelta(days=1))
        found = Town(http, ports, pool, ann, live["path"], operator)
        node = Secrets(SECRET).node("local")
        found.secrets = [SECRET, API_KEY, live["key"], ann.token, operator, node]
        yield found


async def test_sent_by_apps(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    calls = sorted(SERVED, key=lambda name: (name in LAST, name))
    for number, name in enumerate(calls):
        secret = town.secrets[number % len(town.secrets)]
        body = {"id": secret, "user_id": secret, "token": secret, secret: secret}
        body |= {"auth_token": secret, "cursor": secret, "live_streaming_id": secret}
        headers = {"Api-Key": API_KEY, "Auth-Token": town.ann.token, "Origin": secret}
        for path in (f"/api/{name}?key={secret}", f"/api/{secret}/{name}"):
            await town.send(town.ports.public, "POST", path, json=body, headers=headers)
    for secret in town.secrets:
        headers = dict.fromkeys(HEADERS, secret)
        for path in ("/", "/healthz", f"/{secret}", f"/watch/{secret}", "/api/x"):
            await town.send(town.ports.public, "GET", path, headers=headers)
            await town.send(town.ports.public, "POST", path, headers=headers)
    assert not town.shown("".join(capsys.readouterr()))
    assert not town.shown(await town.metrics())


async def test_sent_by_nodes(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    node = Secrets(SECRET).node("local")
    right = {"Authorization": aiohttp.encode_basic_auth("local", node)}
    wrong = {"Authorization": aiohttp.encode_basic_auth("other", node)}
    at = town.ports.internal
    for secret in town.secrets:
        for action in ("publish", "read", "api", secret):
            for path in (town.path, secret, f"live/{secret}"):
                call = {"action": action, "path": path, "query": f"key={secret}"}
                call |= {"user": secret, "password": secret, "token": secret}
                call |= {"protocol": "rtmp", "id": "1", "ip": "127.0.0.1"}
                url = "/hooks/mediamtx/local/auth"
                await town.send(at, "POST", url, json=call, headers=right)
                await town.send(at, "POST", url, json=call, headers=wrong)
        for place in (f"local/{secret}", f"{secret}/ready", "local/ready"):
            lines = f"CONTROL_PLANE_HOOK_SECRET={node}\nMTX_PATH={secret}\n"
            await town.send(at, "POST", f"/hooks/mediamtx/{place}", data=lines)
    log = "".join(capsys.readouterr())
    assert "denied" in log
    assert not town.shown(log)
    assert not town.shown(await town.metrics())


async def test_sent_by_operators(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    at = town.ports.operator
    url = f"http://127.0.0.1:{at}/v1/openapi.json"
    async with town.http.get(url) as response:
        routes = (await response.json())["paths"]
    right = {"Authorization": f"Bearer {town.operator}"}
    for number, (path, methods) in enumerate(routes.items()):
        secret = town.secrets[number % len(town.secrets)]
        there = path.replace("{id}", secret).replace("{name}", secret)
        for method in methods:
            more: dict[str, Any] = {"json": {"id": secret}, "params": {"q": secret}}
            for headers in (right, {"Authorization": f"Bearer {secret}"}):
                await town.send(at, method, there, headers=headers, **more)
                await town.send(at, method, path.replace("{id}", "1"), headers=headers)
    assert not town.shown("".join(capsys.readouterr()))
    assert not town.shown(await town.metrics())


async def test_in_events_and_the_audit_log(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    made = await town.ann.ask("streamKeys", {"name": "my encoder"})
    town.secrets.append(made["StreamKey"]["key"])
    right = {"Authorization": f"Bearer {town.operator}"}
    ban = f"/v1/users/{town.ann.id}/ban"
    at = town.ports.operator
    done = await town.send(at, "POST", ban, json={"reason": "spam"}, headers=right)
    assert done.status == 200

    async def told() -> object:
        """What others have not committed yet may hide it."""
        found = await whole_log(town.pool)
        return found if any(one.type == "live.ended" for one in found) else None

    events = await until(told)
    entries = await AuditLog(town.pool).page(50)
    assert entries
    assert not town.shown(f"{events}{entries}")
    assert not town.shown("".join(capsys.readouterr()))
