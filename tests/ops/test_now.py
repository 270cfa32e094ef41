"""What is live, in one look for every dashboard."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from control_plane.base.database import Pool, open_pool
from control_plane.operators.service import Tokens
from tests.support.api import App, running, settings
from tests.support.money import new_session, new_user


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with open_pool(database_url) as opened:
        yield opened


@pytest.fixture
async def app(database_url: str, redis_url: str) -> AsyncIterator[App]:
    async with running(settings(database_url, redis_url)) as opened:
        yield opened


async def test_what_needs_attention_is_said_in_words(app: App, pool: Pool) -> None:
    away = await new_session(pool, await new_user(pool), "reconnecting")
    await new_session(pool, await new_user(pool))
    await new_session(pool, await new_user(pool), "ended")
    await pool.execute("UPDATE nodes SET silent_since = now() WHERE name = 'node'")
    token = await Tokens(pool).create("ann", ["read"], timedelta(days=1))
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{app.operators}/v1/now"
    async with app.http.get(url, headers=headers) as response:
        told: dict[str, Any] = await response.json()
    totals = told["totals"]
    assert (totals["sessions"], totals["live"], totals["reconnecting"]) == (2, 1, 1)
    words = {(one["about"], one["id"]): one["words"] for one in told["attention"]}
    assert "does not answer" in words["node", "node"]
    assert "encoder away; ends at" in words["session", away]
    assert told["attention"][-1]["id"] == away  # a node is worse


async def test_who_has_seen_it_already_is_sent_nothing(app: App, pool: Pool) -> None:
    token = await Tokens(pool).create("ann", ["read"], timedelta(days=1))
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{app.operators}/v1/now"
    async with app.http.get(url, headers=headers) as response:
        headers["If-None-Match"] = response.headers["ETag"]
    async with app.http.get(url, headers=headers) as response:
        assert response.status == 304
        assert await response.read() == b""
