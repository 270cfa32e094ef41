"""Whatever the public API makes Postgres do, nodes and going live are served."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import asyncpg

from tests.hooks.conftest import Service, publish
from tests.support.locks import WAITING
from tests.support.stack import until

CONNECTIONS = 3  # to Postgres, as conftest.py has it
MANY = 20  # calls at once


@contextlib.asynccontextmanager
async def _slow_feed(service: Service, database_url: str) -> AsyncIterator[None]:
    """As many calls as there are connections, and more, wait for the videos."""
    watching = await asyncpg.connect(database_url)
    locking = await asyncpg.connect(database_url)

    async def blocked() -> bool:
        return int(await watching.fetchval(WAITING)) >= CONNECTIONS

    async with locking.transaction():
        await locking.execute("LOCK TABLE videos")
        body = {"user_id": "0", "video_id": 1}
        feeds = [
            asyncio.create_task(service.ask("showVideoDetail", body))
            for _ in range(MANY)
        ]
        try:
            await until(blocked)
            yield
        finally:
            for feed in feeds:
                feed.cancel()
    await asyncio.gather(*feeds, return_exceptions=True)
    await watching.close()
    await locking.close()


async def test_going_live_while_the_feed_is_stuck(
    service: Service, database_url: str
) -> None:
    _live, token = await service.go_live()
    async with _slow_feed(service, database_url), asyncio.timeout(60.0):
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
    async with _slow_feed(service, database_url):
        assert await service.lets_in(publish("live/ann", made["key"]))
