"""Whatever Postgres says to what runs in the background, it goes on: permissions are
fresh again once Postgres is well, and what was revoked meanwhile opens nothing."""

import contextlib
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import aiohttp
import asyncpg
import pytest

from control_plane.live.service import permissions
from tests.hooks.conftest import Service, publish
from tests.support.stack import until

Trouble = Callable[[asyncpg.Connection], AbstractAsyncContextManager[None]]

OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
LISTENERS = f"{OTHERS} AND application_name <> 'control-plane'"
WAITING = """
    SELECT pg_cancel_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permissions, "STALE_AFTER", 1.0)
    monkeypatch.setattr(permissions, "HEARTBEAT", 0.2)


@contextlib.asynccontextmanager
async def _another_version(by_hand: asyncpg.Connection) -> AsyncIterator[None]:
    """An error that nobody has thought of."""
    rename = "ALTER TABLE channels RENAME"
    await by_hand.execute(f"{rename} closed_until TO of_another_version")
    await by_hand.execute(LISTENERS)
    yield
    await by_hand.execute(f"{rename} of_another_version TO closed_until")


@contextlib.asynccontextmanager
async def _no_room(by_hand: asyncpg.Connection) -> AsyncIterator[None]:
    """It refuses connections."""
    name = await by_hand.fetchval("SELECT current_database()")
    limit = f"ALTER DATABASE {name} CONNECTION LIMIT"
    await by_hand.execute(f"{limit} 0")
    await by_hand.execute(LISTENERS)
    yield
    await by_hand.execute(f"{limit} -1")


@contextlib.asynccontextmanager
async def _cancelled_queries(by_hand: asyncpg.Connection) -> AsyncIterator[None]:
    async with by_hand.transaction():
        await by_hand.execute("LOCK TABLE channels IN ACCESS EXCLUSIVE MODE")
        await by_hand.execute(LISTENERS)
        await until(lambda: by_hand.fetchval(WAITING))
        yield


@contextlib.asynccontextmanager
async def _standby(by_hand: asyncpg.Connection) -> AsyncIterator[None]:
    """It answers, and takes no writes."""
    name = await by_hand.fetchval("SELECT current_database()")
    off = f"ALTER DATABASE {name} SET default_transaction_read_only = off"
    await by_hand.execute(off.replace("= off", "= on"))
    await by_hand.execute(OTHERS)
    yield
    await by_hand.execute(off)
    await by_hand.execute(OTHERS)


async def _ready(service: Service) -> str:
    url = f"http://127.0.0.1:{service.ports.public}/readyz"
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        return await response.text()


@pytest.mark.parametrize("trouble", [_another_version, _no_room, _cancelled_queries])
async def test_a_key_revoked_meanwhile_is_refused(
    service: Service, database_url: str, trouble: Trouble
) -> None:
    live, _token = await service.go_live()
    other, _token = await service.go_live("bob")
    assert await service.lets_in(publish(live["path"], live["key"]))
    by_hand = await asyncpg.connect(database_url)
    try:
        async with trouble(by_hand):
            await until(lambda: _says(service, "away: notices\n"))
            await by_hand.execute(
                "UPDATE stream_keys SET revoked_at = now() WHERE session_id = $1",
                int(live["id"]),
            )
            assert await service.auth(publish(live["path"], live["key"])) == 401
        await until(lambda: _says(service, "ok\n"))
    finally:
        await by_hand.close()
    assert await service.auth(publish(live["path"], live["key"])) == 401
    assert await service.lets_in(publish(other["path"], other["key"]))


async def _says(service: Service, wanted: str) -> bool:
    return await _ready(service) == wanted


async def test_grants_noted_while_postgres_takes_no_writes_are_written_later(
    service: Service, database_url: str
) -> None:
    live, _token = await service.go_live()
    by_hand = await asyncpg.connect(database_url)
    try:
        async with _standby(by_hand):
            await until(lambda: _says(service, "ok\n"))
            assert await service.lets_in(publish(live["path"], live["key"], id="late"))
        await until(
            lambda: by_hand.fetchval(
                "SELECT count(*) FROM publish_grants WHERE source_id = 'late'"
            )
        )
    finally:
        await by_hand.close()


@pytest.mark.parametrize("odd", ["nul\0", "half \ud800", secrets.token_hex(4000)])
async def test_a_grant_that_postgres_refuses_stops_no_other(
    service: Service, odd: str
) -> None:
    live, _token = await service.go_live()
    assert await service.lets_in(publish(live["path"], live["key"], id=odd))
    await service.publish(live, "source-1")
    assert await service.status(live) == "live"
