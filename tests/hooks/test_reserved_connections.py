"""Whatever the public API makes Postgres do, nodes and going live are served."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest

from tests.hooks.conftest import Json, Service, publish
from tests.support.locks import WAITING
from tests.support.stack import until

CONNECTIONS = 3  # to Postgres, as conftest.py has it
MANY = 20  # calls at once


@dataclass(frozen=True)
class Rush:
    """Calls that anybody can make, and what table they wait for."""

    table: str
    name: str
    body: Json
    signed_in: bool = False


FEED = Rush("videos", "showVideoDetail", {"user_id": "0", "video_id": 1})
GUESTS = Rush("tickets", "watch", {"id": 1})
VIEWERS = Rush("viewings", "watch", {"id": 1}, signed_in=True)


@pytest.fixture
def settings() -> dict[str, str]:
    return {"CONTROL_PLANE_WATCHING_AT_ONCE": "1"}


@contextlib.asynccontextmanager
async def _stuck(
    service: Service, database_url: str, rush: Rush
) -> AsyncIterator[None]:
    """As many calls as there are connections, and more, wait."""
    watching = await asyncpg.connect(database_url)
    locking = await asyncpg.connect(database_url)
    token = (await service.app.sign_in("bob")).token if rush.signed_in else ""

    async def blocked() -> bool:
        return int(await watching.fetchval(WAITING)) >= CONNECTIONS

    async with locking.transaction():
        await locking.execute(f"LOCK TABLE {rush.table}")
        calls = [
            asyncio.create_task(service.call(rush.name, rush.body, token))
            for _ in range(MANY)
        ]
        try:
            await until(blocked)
            yield
        finally:
            for call in calls:
                call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    await watching.close()
    await locking.close()


@pytest.mark.parametrize("rush", [FEED, GUESTS, VIEWERS])
async def test_going_live_while_others_are_stuck(
    service: Service, database_url: str, rush: Rush
) -> None:
    _live, token = await service.go_live()
    async with _stuck(service, database_url, rush), asyncio.timeout(60.0):
        live = (await service.ask("liveStream", {}, token))["LiveStreaming"]
        await service.publish(live)
        made = (await service.ask("streamKeys", {}, token))["StreamKey"]
        assert await service.lets_in(publish("live/ann", made["key"], id="s2"))
        ended = await service.ask(
            "liveStream", {"id": live["id"], "ended_at": "x"}, token
        )
        assert ended["LiveStreaming"]["status"] == "ended"


async def test_a_cold_path_while_the_feed_is_stuck(
    service: Service, database_url: str, owner_url: str
) -> None:
    _live, token = await service.go_live()
    connection = await asyncpg.connect(owner_url)
    await connection.execute("DROP TRIGGER channel_notice ON channels")
    await connection.execute("DROP TRIGGER key_notice ON stream_keys")
    await connection.close()
    made = (await service.ask("streamKeys", {}, token))["StreamKey"]
    async with _stuck(service, database_url, FEED):
        assert await service.lets_in(publish("live/ann", made["key"]))
