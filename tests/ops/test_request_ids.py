"""One id for a request: in its answer, the log, the audit log and at the node."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import structlog
from aiohttp import web
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.testing import capture_logs

from control_plane.audit.service import AuditLog
from control_plane.base.database import Pool, open_pool
from control_plane.base.request_ids import HEADER, WELL_FORMED
from control_plane.web import logs
from tests.support.api import App, running, settings
from tests.support.operators import ask, token

GIVEN = "0123456789abcdef0123456789abcdef"


async def test_answers_bear_it(app: App) -> None:
    for url in (f"{app.base}/api/showSettings", f"{app.operators}/v1/now"):
        own = [await id_of(app, url), await id_of(app, url)]
        assert own[0] != own[1]
        assert all(WELL_FORMED.fullmatch(one) for one in own)
        assert await id_of(app, url, GIVEN) == GIVEN
        assert await id_of(app, url, "a secret") != "a secret"
    assert WELL_FORMED.fullmatch(await id_of(app, f"{app.operators}/nowhere"))
    assert WELL_FORMED.fullmatch(await id_of(app, f"{app.base}/events"))


async def id_of(app: App, url: str, given: str = "") -> str:
    headers = {HEADER: given} if given else {}
    method = "POST" if "/api/" in url else "GET"
    async with app.http.request(method, url, headers=headers) as response:
        return response.headers[HEADER]


async def test_nobody_but_a_proxy_gives_one(database_url: str, redis_url: str) -> None:
    wanted = settings(database_url, redis_url, trusted_proxies="")
    async with running(wanted) as app:
        assert await id_of(app, f"{app.base}/api/showSettings", GIVEN) != GIVEN


@dataclass
class Node:
    """Its API, in so far as it is asked for anything."""

    api_url: str = ""
    ids: list[str | None] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.ids.append(request.headers.get(HEADER))
        return web.Response(status=404)


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    found, app = Node(), web.Application()
    app.router.add_route("*", "/{path:.*}", found.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    found.api_url = f"http://127.0.0.1:{port}"
    yield found
    await runner.cleanup()


async def test_it_goes_on_to_node_and_audit_log(
    app: App, pool: Pool, node: Node
) -> None:
    admin = await token(pool, "admin")
    await pool.execute("UPDATE nodes SET api_url = $1", node.api_url)
    headers = {HEADER: GIVEN}
    await ask(app, "GET", "/v1/nodes/local", admin, headers=headers)
    await ask(app, "GET", "/v1/nodes/local", await token(pool, "read"), headers=headers)
    assert GIVEN in node.ids
    await ask(app, "POST", "/v1/nodes/local/drain", admin, headers=headers)
    [entry] = await AuditLog(pool).page(1)
    assert (entry.act, entry.request_id) == ("node.drained", GIVEN)


async def test_what_failed_is_logged_with_it(app: App, owner_url: str) -> None:
    async with open_pool(owner_url) as owner:
        await owner.execute("ALTER TABLE gifts RENAME TO presents")
    with capture_logs(processors=[merge_contextvars]) as lines:
        async with app.http.post(f"{app.base}/api/showGifts") as response:
            answer = await response.json()
    [failed] = [line for line in lines if line["event"] == "api failed"]
    assert failed["request_id"] == response.headers[HEADER]
    assert answer["msg"].endswith(f" {failed['request_id']}.")


def test_every_line_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("info", readable=False)
    try:
        with bound_contextvars(request_id=GIVEN):
            structlog.get_logger().info("anything")
    finally:
        structlog.reset_defaults()
    assert json.loads(capsys.readouterr().err)["request_id"] == GIVEN
