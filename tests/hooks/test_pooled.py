"""DATABASE_URL leads to a pooler, DATABASE_DIRECT_URL past it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.hooks.conftest import Service, publish
from tests.support.pgbouncer import needs_pgbouncer, pooled
from tests.support.stack import until

pytestmark = needs_pgbouncer


@pytest.fixture
async def settings(
    database_url: str, server_folder: Path
) -> AsyncIterator[dict[str, str]]:
    async with pooled(database_url, server_folder) as url:
        yield {"DATABASE_URL": url, "DATABASE_DIRECT_URL": database_url}


async def test_connections_are_shared_by_whoever_asks(service: Service) -> None:
    names = [f"user{number}" for number in range(12)]
    started = await asyncio.gather(*map(service.go_live, names))
    for live, _token in started:
        await service.publish(live, source=f"source-{live['id']}")
    shown = await asyncio.gather(*(service.status(live) for live, _token in started))
    assert shown == ["live"] * len(names)


async def test_what_is_revoked_is_heard_at_once(service: Service) -> None:
    live, token = await service.go_live()
    made = (await service.ask("streamKeys", {}, token))["StreamKey"]
    asked = publish("live/ann", made["key"])
    assert await service.lets_in(asked)
    ended = {"id": live["id"], "ended_at": "now"}
    await service.ask("liveStream", ended, token)
    await service.ask("revokeStreamKey", {"id": made["id"]}, token)

    async def refused() -> bool:
        return await service.auth(asked) == 401

    await until(refused)
