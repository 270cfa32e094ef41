"""What many open pages cost the service, and how many of them it takes."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import aiohttp
import asyncpg
import pytest

from control_plane.web import sse
from tests.support.api import App, looking_once, running, settings
from tests.support.stack import until

MANY = 150
SOON = 5.0  # seconds
WITHIN = 60.0  # seconds


async def _sessions(database_url: str, user_id: int, count: int) -> list[int]:
    """Ended ones."""
    by_hand = await asyncpg.connect(database_url)
    try:
        rows = await by_hand.fetch(
            """
            INSERT INTO live_streaming_sessions (user_id, path, node, status,
                reconnect_window, longest, started_at, ended_at, end_reason)
            SELECT $1, 'live/of-' || n, 'local', 'ended', 60, '1 hour', now(), now(),
                'completed' FROM generate_series(1, $2) AS n RETURNING id
            """,
            user_id,
            count,
        )
        return [row["id"] for row in rows]
    finally:
        await by_hand.close()


async def _commits(database_url: str) -> int:
    by_hand = await asyncpg.connect(database_url)
    try:
        found = await by_hand.fetchval(
            "SELECT xact_commit FROM pg_stat_database"
            " WHERE datname = current_database()"
        )
        return int(found)
    finally:
        await by_hand.close()


async def _quiet(database_url: str, most: float) -> bool:
    """Fewer than ``most`` transactions a second for a while. Postgres itself counts
    what a connection did only when that rests for ten seconds."""
    before = await _commits(database_url)
    await asyncio.sleep(SOON)
    return await _commits(database_url) - before < most * SOON


@contextlib.asynccontextmanager
async def _following(app: App, paths: list[str]) -> AsyncIterator[list[dict[str, str]]]:
    """A stream for each, and what each said first."""
    async with contextlib.AsyncExitStack() as stack:
        connector = aiohttp.TCPConnector(limit=0)
        http = await stack.enter_async_context(
            aiohttp.ClientSession(connector=connector)
        )
        opened = [
            await stack.enter_async_context(http.get(app.base + path)) for path in paths
        ]
        yield await asyncio.gather(*(_first(one) for one in opened))


async def _first(response: aiohttp.ClientResponse) -> dict[str, str]:
    assert response.status == 200
    async with asyncio.timeout(WITHIN):
        await response.content.readuntil(b"\n\n")
        block = await response.content.readuntil(b"\n\n")
    said: dict[str, str] = json.loads(block.removeprefix(b"data: "))
    return said


async def test_nothing_is_asked_about_what_is_over(
    database_url: str, redis_url: str
) -> None:
    wanted = settings(database_url, redis_url, event_streams_per_address=MANY)
    async with running(looking_once(wanted)) as app:
        ann = await app.sign_in("ann")
        ids = await _sessions(database_url, ann.id, MANY)
        async with _following(app, [f"/watch/{i}/events" for i in ids]) as said:
            assert {one["status"] for one in said} == {"ended"}
            await until(lambda: _quiet(database_url, 6.0))


async def test_one_look_a_second_is_enough_for_all_that_is_followed(
    database_url: str, redis_url: str
) -> None:
    """Channels that are offline may begin at any moment."""
    wanted = settings(database_url, redis_url, event_streams_per_address=MANY)
    async with running(looking_once(wanted)) as app:
        ann = await app.sign_in("ann")
        await _sessions(database_url, ann.id, MANY)
        names = [f"/watch/of-{n + 1}/events" for n in range(MANY)]
        async with _following(app, names) as said:
            assert len({one["id"] for one in said}) == MANY
            await until(lambda: _quiet(database_url, 10.0))


async def test_an_address_has_so_many_streams_and_gets_its_places_back(
    database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "KEEP_ALIVE", 0.05)
    wanted = settings(
        database_url,
        redis_url,
        event_streams_per_address=2,
        trusted_proxies="127.0.0.1",
    )
    async with running(wanted) as app:
        async with _following(app, ["/events", "/events"]):
            assert await _status(app, "") == 429
            assert await _status(app, "203.0.113.9") == 200

        async def free() -> bool:
            return await _status(app, "") == 200

        await until(free)


async def test_the_service_has_so_many_streams_in_all(
    database_url: str, redis_url: str
) -> None:
    wanted = settings(database_url, redis_url, event_streams=2)
    async with running(wanted) as app, _following(app, ["/events", "/events"]):
        assert await _status(app, "") == 503


async def _status(app: App, forwarded_for: str) -> int:
    headers = {"X-Forwarded-For": forwarded_for} if forwarded_for else {}
    async with app.http.get(f"{app.base}/events", headers=headers) as response:
        return response.status
