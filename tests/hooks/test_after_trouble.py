"""Whatever Postgres says to what runs in the background, it goes on: permissions are
fresh again once Postgres is well, and what was revoked meanwhile opens nothing."""

import contextlib
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

import asyncpg
import pytest

from control_plane.live.service import permissions
from tests.hooks.conftest import Json, Service, publish, read
from tests.support.stack import until


@dataclass(frozen=True)
class Hands:
    """Who owns the tables, and who works with them: what that one started, only that
    one may end."""

    owner: asyncpg.Connection
    worker: asyncpg.Connection


Trouble = Callable[[Hands], AbstractAsyncContextManager[None]]

OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user
        AND application_name <> 'by hand'
"""
POOLS = f"{OTHERS} AND application_name = 'control-plane'"
LISTENERS = f"{OTHERS} AND application_name <> 'control-plane'"
WAITING = """
    SELECT pg_cancel_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permissions, "STALE_AFTER", 1.0)
    monkeypatch.setattr(permissions, "HEARTBEAT", 0.2)


@pytest.fixture
async def hands(owner_url: str, database_url: str) -> AsyncIterator[Hands]:
    named = {"application_name": "by hand"}
    owner = await asyncpg.connect(owner_url, server_settings=named)
    worker = await asyncpg.connect(database_url, server_settings=named)
    yield Hands(owner, worker)
    await worker.close()
    await owner.close()


@contextlib.asynccontextmanager
async def _another_version(hands: Hands) -> AsyncIterator[None]:
    """An error that nobody has thought of."""
    rename = "ALTER TABLE channels RENAME"
    await hands.owner.execute(f"{rename} closed_until TO of_another_version")
    await hands.worker.execute(LISTENERS)
    yield
    await hands.owner.execute(f"{rename} of_another_version TO closed_until")


@contextlib.asynccontextmanager
async def _no_room(hands: Hands) -> AsyncIterator[None]:
    """It refuses connections."""
    name = await hands.owner.fetchval("SELECT current_database()")
    limit = f"ALTER DATABASE {name} CONNECTION LIMIT"
    await hands.owner.execute(f"{limit} 0")
    await hands.worker.execute(LISTENERS)
    yield
    await hands.owner.execute(f"{limit} -1")


@contextlib.asynccontextmanager
async def _no_entry(hands: Hands) -> AsyncIterator[None]:
    """It refuses this role, as after a wrong password."""
    name = await hands.owner.fetchval("SELECT current_database()")
    entry = f"CONNECT ON DATABASE {name}"
    await hands.owner.execute(f"REVOKE {entry} FROM PUBLIC")
    await hands.worker.execute(LISTENERS)
    yield
    await hands.owner.execute(f"GRANT {entry} TO PUBLIC")


@contextlib.asynccontextmanager
async def _cancelled_queries(hands: Hands) -> AsyncIterator[None]:
    async with hands.owner.transaction():
        await hands.owner.execute("LOCK TABLE channels IN ACCESS EXCLUSIVE MODE")
        await hands.worker.execute(LISTENERS)
        await until(lambda: hands.worker.fetchval(WAITING))
        yield


@contextlib.asynccontextmanager
async def _standby(hands: Hands) -> AsyncIterator[None]:
    """It answers, and takes no writes."""
    name = await hands.owner.fetchval("SELECT current_database()")
    off = f"ALTER DATABASE {name} SET default_transaction_read_only = off"
    await hands.owner.execute(off.replace("= off", "= on"))
    await hands.worker.execute(OTHERS)
    yield
    await hands.owner.execute(off)
    await hands.worker.execute(OTHERS)


@pytest.mark.parametrize(
    "trouble", [_another_version, _no_room, _no_entry, _cancelled_queries]
)
async def test_a_key_revoked_meanwhile_is_refused(
    service: Service, hands: Hands, trouble: Trouble
) -> None:
    live, _token = await service.go_live()
    other, _token = await service.go_live("bob")
    assert await service.lets_in(publish(live["path"], live["key"]))
    async with trouble(hands):
        await until(lambda: service.says("away: notices"))
        await hands.owner.execute(
            "UPDATE stream_keys SET revoked_at = now() WHERE session_id = $1",
            int(live["id"]),
        )
        assert await service.auth(publish(live["path"], live["key"])) == 401
    await until(lambda: service.says("ok"))
    assert await service.auth(publish(live["path"], live["key"])) == 401
    assert await service.lets_in(publish(other["path"], other["key"]))


async def test_who_was_let_in_meanwhile_is_looked_at(
    service: Service, hands: Hands
) -> None:
    """Reads are answered from what is remembered, and somebody may be denied then."""
    owed = "SELECT count(*) FROM owed_cuts"
    await until(lambda: service.says("ok"))
    assert await hands.worker.fetchval(owed) == 0
    await hands.worker.execute(LISTENERS)
    await until(lambda: hands.worker.fetchval(owed))


async def test_grants_noted_while_postgres_takes_no_writes_are_written_later(
    service: Service, hands: Hands
) -> None:
    live, _token = await service.go_live()
    async with _standby(hands):
        await until(lambda: service.says("ok"))
        assert await service.lets_in(publish(live["path"], live["key"], id="late"))
    written = "SELECT count(*) FROM publish_grants WHERE source_id = 'late'"
    await until(lambda: hands.worker.fetchval(written))


@pytest.mark.parametrize("odd", ["nul\0", secrets.token_hex(4000)])
async def test_a_grant_that_postgres_refuses_stops_no_other(
    service: Service, odd: str
) -> None:
    live, _token = await service.go_live()
    assert await service.lets_in(publish(live["path"], live["key"], id=odd))
    await service.publish(live, "source-1")
    assert await service.status(live) == "live"


@contextlib.asynccontextmanager
async def _nothing_can_be_read(hands: Hands) -> AsyncIterator[None]:
    """Notices are heard all the same."""
    name = await hands.owner.fetchval("SELECT current_database()")
    limit = f"ALTER DATABASE {name} CONNECTION LIMIT"
    await hands.owner.execute(f"{limit} 0")
    await hands.worker.execute(POOLS)
    yield
    await hands.owner.execute(f"{limit} -1")


async def _read_whole(service: Service, live: Json, token: str) -> None:
    """Whatever was changed before is heard and read once this is."""
    for policy, status in ("token", 401), ("public", 200):
        body = {"id": live["id"], "policy": policy}
        await service.ask("setLivePolicy", body, token)

        async def seen(status: int = status) -> bool:
            return await service.auth(read(live["path"])) == status

        await until(seen)


async def test_a_wrong_key_makes_nobody_forget_a_path(
    service: Service, hands: Hands
) -> None:
    live, token = await service.go_live()
    await service.publish(live)
    await _read_whole(service, live, token)
    async with _nothing_can_be_read(hands):
        await until(lambda: service.says("away: postgres"))
        assert await service.auth(publish(live["path"], "wrong")) == 401
        assert await service.lets_in(read(live["path"]))
        assert await service.lets_in(publish(live["path"], live["key"]))


async def test_a_change_that_cannot_be_read_lets_no_encoder_in_until_it_is(
    service: Service, hands: Hands
) -> None:
    live, token = await service.go_live()
    await service.publish(live)
    await _read_whole(service, live, token)

    async def is_refused() -> bool:
        return await service.auth(publish(live["path"], live["key"])) == 401

    async with _nothing_can_be_read(hands):
        await hands.owner.execute(
            "UPDATE live_streaming_sessions SET token_epoch = token_epoch + 1"
        )
        await until(is_refused)
        assert await service.auth(read(live["path"])) == 200
    assert await service.lets_in(publish(live["path"], live["key"]))


async def test_a_node_that_came_meanwhile_is_known_afterwards(
    service: Service, hands: Hands
) -> None:
    async with _nothing_can_be_read(hands):
        await hands.owner.execute(
            "INSERT INTO nodes (name, api_url, rtmp_url, hls_url, webrtc_url, srt_url,"
            " rtsp_url) VALUES ('other', '', '', '', '', '', '')"
        )
        await until(lambda: service.says("away: postgres"))
    other = replace(service, node="other")

    async def known() -> bool:
        return await other.hook("not_ready", "live/nobody", "source-1") == 204

    await until(known)
