"""What is live, in one look for every dashboard."""

from control_plane.base.database import Pool
from tests.support.api import App
from tests.support.money import new_session, new_user
from tests.support.operators import ask, token


async def test_what_needs_attention_is_said_in_words(app: App, pool: Pool) -> None:
    away = await new_session(pool, await new_user(pool), "reconnecting")
    await new_session(pool, await new_user(pool))
    await new_session(pool, await new_user(pool), "ended")
    await pool.execute("UPDATE nodes SET silent_since = now() WHERE name = 'node'")
    _, told = await ask(app, "GET", "/v1/now", await token(pool, "read"))
    totals = told["totals"]
    assert (totals["sessions"], totals["live"], totals["reconnecting"]) == (2, 1, 1)
    words = {(one["about"], one["id"]): one["words"] for one in told["attention"]}
    assert "does not answer" in words["node", "node"]
    assert "encoder away; ends at" in words["session", away]
    assert told["attention"][-1]["id"] == away  # a node is worse


async def test_a_node_that_was_given_up_needs_nobody(app: App, pool: Pool) -> None:
    """Two drain, `node` with a broadcast yet."""
    await new_session(pool, await new_user(pool))
    await pool.execute("UPDATE nodes SET silent_since = now(), draining = true")
    _, told = await ask(app, "GET", "/v1/now", await token(pool, "read"))
    assert [one["id"] for one in told["attention"]] == ["node"]


async def test_who_has_seen_it_already_is_sent_nothing(app: App, pool: Pool) -> None:
    headers = {"Authorization": f"Bearer {await token(pool, 'read')}"}
    url = f"{app.operators}/v1/now"
    async with app.http.get(url, headers=headers) as response:
        headers["If-None-Match"] = response.headers["ETag"]
    async with app.http.get(url, headers=headers) as response:
        assert response.status == 304
        assert await response.read() == b""
