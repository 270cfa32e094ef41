"""Requests at once with one key, requests that are too many, and receivers in pages."""

import asyncio

from control_plane.base.database import Pool
from tests.support.api import APART_FROM_NODES, App, running, settings
from tests.support.operators import Json, ask, token

HOOK = {"url": "http://127.0.0.1:9/hook"}


async def test_requests_at_once_with_one_key_count_once(app: App, pool: Pool) -> None:
    admin = await token(pool, "admin")
    more: Json = {"json": HOOK, "headers": {"Idempotency-Key": "one"}}
    answers = await asyncio.gather(
        *(ask(app, "POST", "/v1/webhooks", admin, **more) for _ in range(8))
    )
    made = {told["id"] for status, told in answers if status == 201}
    assert len(made) == 1
    assert {status for status, _ in answers} <= {201, 409}  # 409: being carried out
    _, listed = await ask(app, "GET", "/v1/webhooks", admin)
    assert [one["id"] for one in listed["webhooks"]] == list(made)


async def test_a_token_that_asks_too_often_is_told_when_to_come_back(
    database_url: str, redis_url: str, pool: Pool
) -> None:
    wanted = settings(database_url, redis_url, operator_requests_per_minute=2)
    eager, other = await token(pool, "read"), await token(pool, "keys")
    async with running(wanted, APART_FROM_NODES) as app:
        at = app.operators + "/v1/me"
        left = []
        for _ in range(3):
            headers = {"Authorization": f"Bearer {eager}"}
            async with app.http.get(at, headers=headers) as response:
                left.append((response.status, response.headers["RateLimit-Remaining"]))
        assert left == [(200, "1"), (200, "0"), (429, "0")]
        assert 1 <= int(response.headers["Retry-After"]) <= 61
        assert response.content_type == "application/problem+json"
        assert (await ask(app, "GET", "/v1/me", other))[0] == 200


async def test_receivers_and_deliveries_come_in_pages(app: App, pool: Pool) -> None:
    admin = await token(pool, "admin")
    for _ in range(2):
        _, made = await ask(app, "POST", "/v1/webhooks", admin, json=HOOK)
    _, first = await ask(app, "GET", "/v1/webhooks?limit=1", admin)
    _, rest = await ask(app, "GET", f"/v1/webhooks?after={first['next']}", admin)
    assert [one["id"] for one in rest["webhooks"]] == [made["id"]]
    assert rest["next"] is None
    path = f"/v1/webhooks/{made['id']}"
    await ask(app, "POST", f"{path}/test", admin)
    _, newest = await ask(app, "GET", f"{path}/deliveries?limit=1", admin)
    after = newest["next"]
    _, older = await ask(app, "GET", f"{path}/deliveries?after={after}", admin)
    types = [one["type"] for one in newest["deliveries"] + older["deliveries"]]
    assert types == ["webhook.test", "webhook.challenge"]
    assert older["next"] is None
