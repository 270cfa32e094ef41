"""Postgres asks for a password, and for a while ours is the wrong one: permissions are
fresh again once it is right, and what was revoked meanwhile opens nothing."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from control_plane.base.schema import migrate
from control_plane.live.service import permissions
from deploy.local.place import OWNER, find_place
from deploy.local.postgres import server
from tests.hooks.conftest import Service, publish
from tests.support.stack import until


@dataclass(frozen=True)
class Guarded:
    url: str
    by_hand: asyncpg.Connection

    async def take(self, password: str) -> None:
        """No other from now on. Who is connected has to come again."""
        await self.by_hand.execute(f"ALTER ROLE {OWNER} PASSWORD '{password}'")
        await self.by_hand.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1",
            OWNER,
        )


@pytest.fixture
async def guarded(server_folder: Path) -> AsyncIterator[Guarded]:
    data = server_folder / "postgres"
    async with server(data, durable=False) as (urls, _child):
        await migrate(urls.owner)
        place = find_place(data)
        asked = f"local all {OWNER} scram-sha-256\n"
        place.host_rules.write_text(asked + place.host_rules.read_text())
        by_hand = await asyncpg.connect(place.url("postgres"))
        await by_hand.execute("SELECT pg_reload_conf()")
        one = Guarded(urls.owner.replace("@", ":right@", 1), by_hand)
        await one.take("right")
        yield one
        await by_hand.close()


@pytest.fixture
def database_url(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(permissions, "STALE_AFTER", 1.0)
    monkeypatch.setattr(permissions, "HEARTBEAT", 0.2)
    return guarded.url


async def test_a_key_revoked_meanwhile_is_refused(
    service: Service, guarded: Guarded
) -> None:
    live, _token = await service.go_live()
    other, _token = await service.go_live("bob")
    assert await service.lets_in(publish(live["path"], live["key"]))
    await guarded.take("another")
    await until(lambda: service.says("away: postgres, notices"))
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(guarded.url)
    await guarded.by_hand.execute(
        "UPDATE stream_keys SET revoked_at = now() WHERE session_id = $1",
        int(live["id"]),
    )
    assert await service.auth(publish(live["path"], live["key"])) == 401
    await guarded.take("right")
    await until(lambda: service.says("ok"))
    assert await service.auth(publish(live["path"], live["key"])) == 401
    assert await service.lets_in(publish(other["path"], other["key"]))
