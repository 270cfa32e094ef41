"""Every route, with every kind of token, and what operators see."""

from datetime import timedelta

import asyncpg
import pytest
from jsonschema import Draft202012Validator

from control_plane.audit.log import acting, record
from control_plane.audit.model import Actor
from control_plane.audit.service import AuditLog
from control_plane.base.database import Pool, open_pool
from control_plane.operators.model import SCOPES
from tests.support.client import App
from tests.support.operators import Json, ask, token

OPERATOR = Actor("operator", "ann")


async def test_every_route_wants_its_own_scope(app: App, pool: Pool) -> None:
    """The table comes from the description: a route that is not in it is none."""
    _, told = await ask(app, "GET", "/v1/openapi.json")
    tokens = {scope: await token(pool, scope) for scope in SCOPES}
    expired = {scope: await token(pool, scope, 0.0) for scope in SCOPES}
    routes = [(p, m, r) for p, ms in told["paths"].items() for m, r in ms.items()]
    assert len(routes) > 20
    for path, method, route in routes:
        if "security" not in route:  # open
            continue
        if route["x-scope"] == "any":
            assert (await ask(app, method, path))[0] == 401
            assert (await ask(app, method, path, expired["read"]))[0] == 401
            assert (await ask(app, method, path, tokens["money"]))[0] in (200, 204)
            continue
        there = path.replace("{id}", "99").replace("{name}", "none")
        scope = route["x-scope"]
        wrong = next(one for one in SCOPES if one != scope)
        for given, status in (("", 401), (expired[scope], 401), (tokens[wrong], 403)):
            assert (await ask(app, method, there, given))[0] == status, (path, given)
        status, answer = await ask(app, method, there, tokens[scope])
        assert str(status) in route["responses"], (path, method, status)
        assert status not in (401, 403)
        check_described(told, route, status, answer)


def check_described(told: Json, route: Json, status: int, answer: Json) -> None:
    """The body is as its schema says."""
    for kind, described in route["responses"][str(status)].get("content", {}).items():
        if kind.endswith("json"):
            whole = {"components": told["components"], **described["schema"]}
            Draft202012Validator(whole).validate(answer)


async def test_what_is_there_is_as_described(app: App, pool: Pool) -> None:
    _, told = await ask(app, "GET", "/v1/openapi.json")
    ann = await app.sign_in("ann")
    await ann.ask("streamKeys", {"name": "OBS", "channel_name": "ann"})
    await ann.ask("liveStream", {"title": "Hello"})
    await ann.ask("purchaseCoin", {"coin": 100, "transaction_id": "t1"})
    tokens = {scope: await token(pool, scope) for scope in SCOPES}
    seen = set()
    for path, methods in told["paths"].items():
        scope = methods.get("get", {}).get("x-scope")
        if scope not in tokens:
            continue
        there = path.replace("{id}", "1").replace("{name}", "local")
        content = methods["get"]["responses"]["200"].get("content", {})
        if "application/json" not in content:
            continue
        status, answer = await ask(app, "GET", there, tokens[scope])
        check_described(told, methods["get"], status, answer)
        if status == 200:
            seen.add(path)
    assert {"/v1/sessions/{id}", "/v1/users/{id}", "/v1/purchases"} <= seen
    assert {"/v1/settings", "/v1/nodes/{name}", "/v1/ledger/check"} <= seen


async def test_sessions_are_listed_page_by_page(app: App, pool: Pool) -> None:
    reads = await token(pool, "read")
    for name in ("ann", "bob", "cid"):
        one = await app.sign_in(name)
        await one.ask("liveStream", {"title": f"Of {name}"})
    status, first = await ask(app, "GET", "/v1/sessions?limit=2", reads)
    assert status == 200
    assert [one["username"] for one in first["sessions"]] == ["cid", "bob"]
    _, rest = await ask(app, "GET", f"/v1/sessions?after={first['next']}", reads)
    assert [one["username"] for one in rest["sessions"]] == ["ann"]
    assert rest["next"] is None
    _, found = await ask(app, "GET", "/v1/sessions?q=of+b&sort=viewers", reads)
    assert [one["title"] for one in found["sessions"]] == ["Of bob"]
    number = found["sessions"][0]["id"]
    _, detail = await ask(app, "GET", f"/v1/sessions/{number}", reads)
    assert detail["keys"][0]["key"].startswith("•")
    _, over = await ask(app, "GET", "/v1/sessions?state=over", reads)
    assert over == {"sessions": [], "next": None}


async def test_people_and_nodes_are_found(app: App, pool: Pool) -> None:
    reads = await token(pool, "read")
    ann = await app.sign_in("ann")
    for words in ("an", str(ann.id)):
        _, found = await ask(app, "GET", f"/v1/users?q={words}", reads)
        assert [one["username"] for one in found["users"]] == ["ann"]
    _, detail = await ask(app, "GET", f"/v1/users/{ann.id}", reads)
    assert detail["sessions"] == []
    await app.sign_in("anton")
    await pool.execute("UPDATE users SET banned_at = now() WHERE id = $1", ann.id)
    _, found = await ask(app, "GET", "/v1/users?q=an&banned=true", reads)
    assert [one["username"] for one in found["users"]] == ["ann"]
    _, found = await ask(app, "GET", "/v1/nodes", reads)
    assert [one["name"] for one in found["nodes"]] == ["local"]


async def test_a_request_that_is_sent_twice_counts_once(app: App, pool: Pool) -> None:
    admin = await token(pool, "admin")
    body = {"url": "http://127.0.0.1:9/hook"}
    more: Json = {"headers": {"Idempotency-Key": "one"}}
    first = await ask(app, "POST", "/v1/webhooks", admin, json=body, **more)
    again = await ask(app, "POST", "/v1/webhooks", admin, json=body, **more)
    assert first == again
    assert first[0] == 201
    assert len((await ask(app, "GET", "/v1/webhooks", admin))[1]["webhooks"]) == 1
    other = {"url": "http://127.0.0.1:9/other"}
    status, told = await ask(app, "POST", "/v1/webhooks", admin, json=other, **more)
    assert (status, told["status"]) == (422, 422)
    kept = await pool.fetchval("SELECT answer FROM operator_requests")
    assert first[1]["secret"].encode() not in kept


async def test_one_changed_row_breaks_the_audit_log(pool: Pool, owner_url: str) -> None:
    with acting(OPERATOR, "a test"):
        for number in (1, 2, 3):
            async with pool.transaction() as connection:
                await record(connection, "tested", f"user/{number}")
    async with pool.transaction() as connection:
        await record(connection, "tested", "user/4")  # nobody acts: a user's own doing
    log = AuditLog(pool)
    found = await log.verify()
    assert (found.entries, found.broken) == (3, 0)
    assert [entry.subject for entry in await log.page(2)] == ["user/3", "user/2"]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.execute("UPDATE audit_log SET reason = ''")
    async with open_pool(owner_url) as owner:
        await owner.execute("ALTER TABLE audit_log DISABLE TRIGGER audit_stays")
        await owner.execute("DELETE FROM audit_log WHERE number = 3")
        assert (await log.verify()).broken == 3
        await owner.execute("UPDATE audit_log SET reason = '' WHERE number = 2")
    assert (await log.verify()).broken == 2


async def test_what_an_operator_does_is_in_the_audit_log(app: App, pool: Pool) -> None:
    moderates = await token(pool, "moderate")
    ann = await app.sign_in("ann")
    live = await ann.ask("liveStream", {"title": "Hello"})
    number = live["LiveStreaming"]["id"]
    why = {"reason": "spam"}
    path = f"/v1/users/{ann.id}/ban"
    status, _ = await ask(app, "POST", path, moderates, json=why)
    assert status == 200
    status, told = await ask(app, "POST", f"/v1/sessions/{number}/end", moderates)
    assert (status, told["detail"]) == (409, "It is over already.")
    ended, banned = await AuditLog(pool).page(2)
    assert (ended.act, ended.subject) == ("session.ended", f"session/{number}")
    assert (banned.act, banned.subject) == ("user.banned", f"user/{ann.id}")
    admin = await token(pool, "admin")
    _, page = await ask(app, "GET", f"/v1/audit?subject=user/{ann.id}", admin)
    assert [one["reason"] for one in page["entries"]] == ["spam"]
    assert page["entries"][0]["hash"] == banned.hash.hex()
    assert (banned.actor, banned.reason) == ("operator:moderate 1.0", "spam")


async def test_a_ban_lasts_so_long_by_postgres_clock(app: App, pool: Pool) -> None:
    """Whoever says ``ends_at`` needs a clock that is right."""
    moderates = await token(pool, "moderate")
    ann = await app.sign_in("ann")
    bans: dict[str, Json] = {
        f"/v1/users/{ann.id}/ban": {"hours": 1.5},
        "/v1/bans": {"address": "192.0.2.7", "hours": 1.5},
    }
    for path, body in bans.items():
        status, _ = await ask(app, "POST", path, moderates, json=body)
        assert status == 200
    wanted, late = timedelta(hours=1.5), timedelta(minutes=1)
    rows = await pool.fetch("SELECT ends_at - created_at AS lasts FROM bans")
    assert len(rows) == 2
    assert all(wanted <= row["lasts"] < wanted + late for row in rows)
    both = {"hours": 1, "ends_at": "2100-01-01T00:00:00Z"}
    for wrong in (both, {"hours": 0}, {"hours": -1}, {"hours": 1e9}):
        path = f"/v1/users/{ann.id}/ban"
        status, _ = await ask(app, "POST", path, moderates, json=wrong)
        assert status == 400
