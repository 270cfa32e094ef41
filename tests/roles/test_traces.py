"""Traces as a collector gets them from the service's own processes."""

import contextlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from control_plane.base.database import open_pool
from control_plane.base.request_ids import HEADER
from control_plane.base.secrets import Secrets
from control_plane.base.traces import ENDPOINTS
from tests.support.client import Account, App, Json
from tests.support.collector import Collector, collector
from tests.support.nodes import EMPTY
from tests.support.operators import ask, token
from tests.support.ports import free_ports
from tests.support.receiver import Receiver, receiver
from tests.support.roles import SECRET as SECRET_OF_ALL
from tests.support.roles import Operator
from tests.support.servers import Numbered
from tests.support.stack import until

#: Longer than any test: what comes was sent at the end of a drain.
AT_THE_END = {"OTEL_BSP_SCHEDULE_DELAY": "600000"}
GIVEN = "0123456789abcdef0123456789abcdef"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SECRET = "Psst4321"
IN_LOG = re.compile("trace_id=([0-9a-f]{32})")


@dataclass
class Node:
    """Its API, which knows of nobody."""

    asked: dict[str, str | None] = field(default_factory=dict)

    async def answer(self, request: web.Request) -> web.Response:
        if given := request.headers.get(HEADER):
            self.asked[given] = request.headers.get("traceparent")
        return web.json_response(EMPTY)


@contextlib.asynccontextmanager
async def node(port: int) -> AsyncIterator[Node]:
    found, app = Node(), web.Application()
    app.router.add_route("*", "/{path:.*}", found.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield found
    await runner.cleanup()


@dataclass
class Seen:
    """What was left of a service that has ended. ``secrets``: that it was given;
    ``hooked``: the headers that a webhook got with each type of event."""

    collector: Collector
    node: Node
    log: str
    secrets: list[str]
    hooked: dict[str, str]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def seen(
    tmp_path_factory: pytest.TempPathFactory,
    module_database_url: str,
    numbered_urls: Numbered,
) -> AsyncIterator[Seen]:
    folder = tmp_path_factory.mktemp("traces")
    operator = Operator(folder, module_database_url, numbered_urls.take())
    [port] = free_ports(1)
    operator.env |= {
        **AT_THE_END,
        "CONTROL_PLANE_ENV": "development",
        "CONTROL_PLANE_NODE_API_URL": f"http://127.0.0.1:{port}",
        "CONTROL_PLANE_WEBHOOK_NETWORKS": "127.0.0.1",
    }
    async with collector() as collected, node(port) as asked, receiver() as hook:
        operator.env |= collected.env
        process = await operator.up()
        try:
            secrets = await Use(operator, hook).everything()
            await process.stop()
            assert await process.ended() == 0
        finally:
            await process.kill()
        hooked = {g.event["type"]: g.headers.get("traceparent", "") for g in hook.got}
        yield Seen(collected, asked, process.log.read_text(), secrets, hooked)


class Use:
    """Everybody asks for something, and sends what nobody else may see."""

    def __init__(self, operator: Operator, hook: Receiver) -> None:
        self._operator = operator
        self._hook = hook
        self.secrets = [SECRET]

    async def everything(self) -> list[str]:
        """The secrets."""
        async with aiohttp.ClientSession() as self._http:
            self._app = App(self._http, self._at("PUBLIC"), self._at("OPERATOR"))
            admin, webhook = await self._operators()
            ann = await self._app.sign_in("ann", email=f"{SECRET}@example.com")
            live = await self._goes_live(ann)
            await self._node_asks(live)
            await self._ends(ann, live)
            await self._strangers(live)
            await until(lambda: self._is_delivered(webhook, admin))
        return self.secrets

    def _at(self, place: str) -> str:
        return f"http://127.0.0.1:{self._operator.ports[place]}"

    async def _operators(self) -> tuple[str, int]:
        """An operator's token, and the number of a webhook."""
        async with open_pool(self._operator.env["DATABASE_URL"]) as pool:
            admin = await token(pool, "admin")
        body = {"url": f"{self._hook.url}/{SECRET}?token={SECRET}"}
        status, made = await ask(self._app, "POST", "/v1/webhooks", admin, json=body)
        assert status == 201, made
        self.secrets += [admin, made["secret"]]
        return admin, made["id"]

    async def _is_delivered(self, webhook: int, admin: str) -> bool:
        """With an answer: a service that is stopped before it leaves a span without."""
        where = f"/v1/webhooks/{webhook}/deliveries"
        _, found = await ask(self._app, "GET", where, admin)
        lines = [(one["type"], one["status"]) for one in found["deliveries"]]
        return ("live.started", 200) in lines

    async def _goes_live(self, ann: Account) -> Json:
        async def started() -> Any:
            """Once the node was seen."""
            answer = await self._app.call("liveStream", {}, ann.token)
            return answer["msg"] if answer["code"] == 200 else None

        live: Json = (await until(started))["LiveStreaming"]
        self.secrets += [ann.token, live["key"]]
        return live

    async def _ends(self, ann: Account, live: Json) -> None:
        """Whoever publishes is cut, if the node knows of somebody."""
        headers = {"Auth-Token": ann.token, "traceparent": f"00-{TRACE}-{PARENT}-01"}
        headers |= {HEADER: GIVEN, "tracestate": f"a={SECRET}", "baggage": SECRET}
        body = json.dumps({"id": live["id"], "ended_at": "now"})
        ended = await self._app.raw("liveStream", body, headers)
        assert ended["code"] == 200, ended

    async def _node_asks(self, live: Json) -> None:
        node_secret = Secrets(SECRET_OF_ALL).node("local")
        self.secrets.append(node_secret)
        basic = aiohttp.encode_basic_auth("local", node_secret)
        path, source = f"live/{live['id']}", "c0ffee"
        asks = {"action": "publish", "path": path, "protocol": "rtmp", "id": source}
        query = {"query": f"key={live['key']}", "ip": "203.0.113.9"}
        told = f"MTX_PATH={path}\nMTX_SOURCE_TYPE=rtmpConn\nMTX_SOURCE_ID={source}"
        calls: list[tuple[str, dict[str, Any], int]] = [
            ("/hooks/mediamtx/local/auth", {"json": asks | query}, 200),
            ("/hooks/mediamtx/local/auth", {"json": asks | {"path": SECRET}}, 401),
            (f"/hooks/mediamtx/{SECRET}/auth", {"json": asks}, 401),
            (f"/edge/{SECRET}/auth", {"json": asks | {"token": SECRET}}, 401),
            ("/hooks/mediamtx/local/ready", {"data": told}, 204),
        ]
        headers = {"Authorization": basic}

        async def status(where: str, body: dict[str, Any]) -> int:
            url = self._at("INTERNAL") + where
            async with self._http.post(url, headers=headers, **body) as response:
                return response.status

        async def let_in() -> bool:
            """A first look-up may take longer than an answer is allowed to."""
            where, body, expected = calls[0]
            return await status(where, body) == expected

        await until(let_in)
        for where, body, expected in calls[1:]:
            assert await status(where, body) == expected, where

    async def _strangers(self, live: Json) -> None:
        headers = {"Cookie": f"a={SECRET}", "User-Agent": SECRET, "Host": SECRET}
        for method, where in [
            ("GET", f"/watch/{live['id']}?key={SECRET}&token={SECRET}"),
            ("GET", f"/{SECRET}/index.m3u8"),
            ("POST", f"/api/{SECRET}?key={SECRET}"),
            (SECRET, "/"),
            ("GET", "/healthz"),
        ]:
            url = self._at("PUBLIC") + where
            async with self._http.request(method, url, headers=headers) as response:
                await response.read()


def test_an_app_call_that_asks_a_node_is_one_trace(seen: Seen) -> None:
    [call] = seen.collector.of(request_id=GIVEN)
    assert (call.role, call.name) == ("api", "POST /api/livestream")
    assert (call.trace, call.parent) == (TRACE, PARENT)
    inside = seen.collector.inside(call)
    lists = [one for one in inside if one.name == "GET /v3/rtmpconns/list"]
    assert lists
    told = str(seen.node.asked[GIVEN]).split("-")
    assert (told[1], told[2]) in [(one.trace, one.id) for one in inside]
    assert {"SELECT", "COMMIT;"} <= {one.name for one in inside}


def test_each_request_is_told_by_its_route(seen: Seen) -> None:
    told = {
        (one.role, one.said["http.route"])
        for one in seen.collector.spans
        if "http.route" in one.said
    }
    assert told >= {
        ("api", "/watch/{name}"),
        ("api", "/unknown"),
        ("api", "/api/unknown"),
        ("api", "/api/livestream"),
        ("work", "/v1/webhooks"),
        ("auth", "/hooks/mediamtx/{node}/auth"),
        ("auth", "/hooks/mediamtx/{node}/{event}"),
    }
    assert not seen.collector.of(**{"http.route": "/healthz"})


def test_what_nodes_ask_is_told_with_their_name(seen: Seen) -> None:
    asked = seen.collector.of(**{"http.route": "/hooks/mediamtx/{node}/auth"})
    said = [(one.said["node"], one.said["http.response.status_code"]) for one in asked]
    assert said[-4:] == [("local", 200), ("local", 401), ("", 401), ("", 401)]
    [told] = seen.collector.of(**{"http.route": "/hooks/mediamtx/{node}/{event}"})
    assert told.said["request_id"]
    assert "SELECT" in {one.name for one in seen.collector.inside(told)}


def test_a_webhook_learns_the_trace_of_its_delivery(seen: Seen) -> None:
    _, trace, span, _ = seen.hooked["live.started"].split("-")
    [sent] = [one for one in seen.collector.spans if one.id == span]
    assert (sent.role, sent.name, sent.trace) == ("work", "POST", trace)
    assert sent.said["http.response.status_code"] == 200


def test_log_lines_name_their_trace(seen: Seen) -> None:
    traces = {one.trace for one in seen.collector.spans}
    named = {line: IN_LOG.search(line) for line in seen.log.splitlines()}
    lines = [line for line, found in named.items() if found and found[1] in traces]
    assert any("allowed" in line and "path=live/" in line for line in lines)


def test_no_secret_is_exported(seen: Seen) -> None:
    assert len(seen.secrets) > 5
    assert not [one for one in seen.secrets if one in seen.collector.text]
    assert not [one for one in seen.secrets if one in seen.log]


async def test_a_collector_that_is_away_changes_nothing(operator: Operator) -> None:
    """Nor is its address told, which may hold a key."""
    [port] = free_ports(1)
    away = f"http://127.0.0.1:{port}/{SECRET}"
    given = {ENDPOINTS[1]: away, "OTEL_BSP_SCHEDULE_DELAY": "50"}
    given |= {"OTEL_EXPORTER_OTLP_TIMEOUT": "0.5"}  # it would try for ten seconds
    process = await operator.serve("--role", "auth", **given)
    await operator.is_ready("auth")

    async def told() -> bool:
        assert await operator.asks_auth() == 401
        return '"event": "traces"' in process.log.read_text()

    await until(told)
    await process.stop()
    assert await process.ended() == 0
    log = process.log.read_text()
    assert log.count("traces") < 5
    assert SECRET not in log


async def test_a_collector_that_hangs_delays_no_stop(operator: Operator) -> None:
    async with collector("hangs") as hanging:
        tries_on = {
            "OTEL_BSP_SCHEDULE_DELAY": "50",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "600",
        }
        operator.env |= hanging.env | tries_on
        process = await operator.up()
        assert await operator.asks_auth() == 401
        await hanging.asked.wait()
        assert await operator.asks_auth() == 401
        await process.stop()
        assert await process.ended() == 0
    assert "did not end in time" not in process.log.read_text()


async def test_where_its_packages_are_missing_it_says_so_and_goes_on(
    operator: Operator, tmp_path: Path
) -> None:
    (tmp_path / "opentelemetry").mkdir()
    (tmp_path / "opentelemetry" / "__init__.py").touch()
    given = {ENDPOINTS[0]: "http://127.0.0.1:4318", "PYTHONPATH": str(tmp_path)}
    process = await operator.serve("--role", "auth", **given)
    await operator.is_ready("auth")
    [line] = [one for one in process.log.read_text().splitlines() if "OTEL" in one]
    assert "pip install 'live-control-plane[traces]'" in line
