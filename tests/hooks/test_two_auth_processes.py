"""A node's calls reach whichever auth process has time: what one let in, the other
knows when the next call comes."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from control_plane.base.database import open_pool
from control_plane.config.settings import load
from control_plane.live.service import grants
from control_plane.live.store import sessions
from control_plane.roles.running import ROLES
from control_plane.roles.sockets import listening_at, port_of
from tests.hooks.conftest import Service, publish
from tests.support.locks import WAITING
from tests.support.stack import until


@pytest.fixture
async def other(service: Service) -> AsyncIterator[Service]:
    """Another auth process of the same service."""
    auth, settings = ROLES["auth"], load()
    with listening_at(settings, auth.places) as sockets:
        async with auth.serve(settings, sockets):
            yield service.beside(port_of(sockets["internal"]))


async def test_ready_comes_before_the_grant_is_written(
    service: Service,
    other: Service,
    owner_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(grants, "PAUSES", [0.02] * 1000)
    live, _ = await service.go_live()
    payload = publish(live["path"], live["key"], id="one")
    async with open_pool(owner_url) as owner:
        async with owner.transaction() as held:
            await held.execute("LOCK publish_grants IN EXCLUSIVE MODE")
            assert await service.lets_in(payload)
            ready = asyncio.create_task(other.hook("ready", live["path"], "one"))
            await until(lambda: owner.fetchval(WAITING))
            await asyncio.wait([ready], timeout=0.2)
        assert await ready == 204
        session = await sessions.get(owner, int(live["id"]))
    assert session is not None
    assert session.status == "live"
    assert session.publisher_key_id is not None


async def test_a_source_that_no_auth_call_named(
    service: Service, other: Service
) -> None:
    live, _ = await service.go_live()
    assert await service.lets_in(
        publish(live["path"], live["key"], id="its connection")
    )
    assert await other.hook("ready", live["path"], "its session") == 204
    assert await service.status(live) == "live"
