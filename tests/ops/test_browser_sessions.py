"""A cookie opens what its token opens, for our own pages alone."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from yarl import URL

from control_plane.base.database import Pool
from control_plane.operators.model import Scope
from control_plane.operators.service import Tokens
from tests.support.api import App

OURS = {"Sec-Fetch-Site": "same-origin", "Idempotency-Key": "one"}
DRAIN = "/v1/nodes/none/drain"


class Visitor:
    """A browser: it keeps cookies, and says what browsers say."""

    def __init__(self, app: App, http: aiohttp.ClientSession) -> None:
        self.url = app.operators
        self.http = http

    async def ask(self, method: str, path: str, **more: Any) -> int:
        async with self.http.request(method, self.url + path, **more) as response:
            self.cookies = response.headers.get("Set-Cookie", "")
            return response.status

    async def sign_in(self, pool: Pool, *scopes: Scope) -> None:
        token = await Tokens(pool).create("ann", scopes, timedelta(days=1))
        body = {"token": token}
        status = await self.ask("POST", "/v1/session", json=body, headers=OURS)
        assert status == 200


@pytest.fixture
async def visitor(app: App) -> AsyncIterator[Visitor]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as http:
        yield Visitor(app, http)


async def test_it_has_the_scopes_of_its_token(visitor: Visitor, pool: Pool) -> None:
    await visitor.sign_in(pool, "read")
    for word in ("HttpOnly", "SameSite=Strict", "Path=/v1"):
        assert word in visitor.cookies
    assert await visitor.ask("GET", "/v1/now") == 200
    assert await visitor.ask("GET", "/v1/audit") == 403
    assert await visitor.ask("POST", DRAIN, json={}, headers=OURS) == 403


async def test_other_pages_can_do_nothing_with_it(visitor: Visitor, pool: Pool) -> None:
    await visitor.sign_in(pool, "read", "admin")
    assert await visitor.ask("POST", DRAIN, json={}, headers=OURS) == 404
    foreign = (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},  # another port of this host
        {"Origin": "http://127.0.0.1:9"},
        {"Origin": "null"},
        {"Origin": "http://["},
    )
    for said in foreign:
        headers = {"Idempotency-Key": "two", **said}
        assert await visitor.ask("POST", DRAIN, json={}, headers=headers) == 403
        assert await visitor.ask("GET", "/v1/now", headers=said) == 403
        body = {"token": "cpo_any"}
        assert await visitor.ask("POST", "/v1/session", json=body, headers=said) == 403
    nothing = {"Idempotency-Key": "three"}
    assert await visitor.ask("POST", DRAIN, json={}, headers=nothing) == 403
    form = {"Sec-Fetch-Site": "same-origin"}
    assert await visitor.ask("POST", DRAIN, data="", headers=form) == 400
    own = {"Idempotency-Key": "four", "Origin": visitor.url}
    assert await visitor.ask("POST", DRAIN, json={}, headers=own) == 404


async def test_it_ends_without_a_person(visitor: Visitor, pool: Pool) -> None:
    await visitor.sign_in(pool, "read")
    ago = "UPDATE operator_sessions SET used_at = used_at - interval '29 minutes'"
    await pool.execute(ago)
    assert await visitor.ask("PATCH", "/v1/session", headers=OURS) == 204
    await pool.execute(ago)
    assert await visitor.ask("GET", "/v1/now") == 200  # which is no sign of one
    await pool.execute(ago)
    assert await visitor.ask("GET", "/v1/now") == 401


async def test_signed_out_is_out_whoever_has_the_cookie(
    visitor: Visitor, pool: Pool
) -> None:
    await visitor.sign_in(pool, "read")
    cookie = visitor.cookies.partition(";")[0]
    assert await visitor.ask("DELETE", "/v1/session", headers=OURS) == 200
    assert await visitor.ask("GET", "/v1/now") == 401
    assert await visitor.ask("GET", "/v1/now", headers={"Cookie": cookie}) == 401


async def test_it_ends_with_its_token(visitor: Visitor, pool: Pool) -> None:
    await visitor.sign_in(pool, "read")
    await Tokens(pool).revoke("ann")
    assert await visitor.ask("GET", "/v1/now") == 401


async def test_the_page_loads_nothing_of_others(visitor: Visitor) -> None:
    async with visitor.http.get(f"{visitor.url}/ops") as response:
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'; style-src 'self'; img-src 'self' data:;" in policy
        # What plays comes from a node, and nothing from elsewhere.
        assert set(re.findall("http[^ ;]*", policy)) == {"http://127.0.0.1:8888"}
        assert "<script>" not in await response.text()
    for name in ("app.js", "player.js", "hls.mjs", "uplot.mjs", "swagger-ui.js"):
        assert await visitor.ask("GET", f"/ops/assets/{name}") == 200


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (b"Authorization: Bearer \xff", 401),
        (b"Idempotency-Key: a\r\nCookie: operator_session=\xff", 401),
        (b"Idempotency-Key: \xff", 400),
    ],
)
async def test_what_is_no_text_proves_nothing(
    app: App, pool: Pool, header: bytes, status: int
) -> None:
    token = await Tokens(pool).create("ann", ["admin"], timedelta(days=1))
    at = URL(app.operators)
    reader, writer = await asyncio.open_connection(at.host, at.port)
    known = b"" if status == 401 else f"Authorization: Bearer {token}\r\n".encode()
    writer.write(
        b"POST /v1/nodes/none/drain HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n"
        b"Sec-Fetch-Site: same-origin\r\nConnection: close\r\n"
        + known
        + header
        + b"\r\n\r\n"
    )
    assert (await reader.read()).split()[1] == str(status).encode()
    writer.close()
