"""POST /hooks/mediamtx/<node>/<event>: a hint, in any order, twice or never."""

import asyncpg
import pytest

from tests.hooks.conftest import Service, publish


@pytest.mark.parametrize("event", ["ready", "online", "available"])
async def test_ready_makes_a_session_live(service: Service, event: str) -> None:
    live, _token = await service.go_live()
    await service.auth(publish(live["path"], live["key"], id="s1"))
    assert await service.hook(event, live["path"], "s1") == 204
    assert await service.status(live) == "live"


@pytest.mark.parametrize("event", ["not_ready", "offline", "unavailable"])
async def test_not_ready_makes_it_reconnecting(service: Service, event: str) -> None:
    live, _token = await service.go_live()
    await service.publish(live, "s1")
    assert await service.hook(event, live["path"], "s1") == 204
    assert await service.status(live) == "reconnecting"


async def test_an_end_of_another_source_changes_nothing(service: Service) -> None:
    live, _token = await service.go_live()
    await service.publish(live, "s1")
    assert await service.hook("not_ready", live["path"], "s0") == 204
    assert await service.status(live) == "live"


async def test_an_end_that_comes_before_its_start(service: Service) -> None:
    live, _token = await service.go_live()
    await service.auth(publish(live["path"], live["key"], id="s1"))
    await service.hook("not_ready", live["path"], "s1")
    await service.hook("ready", live["path"], "s1")
    assert await service.status(live) == "created"


async def test_a_late_start_of_the_publisher_that_was_replaced(
    service: Service, database_url: str
) -> None:
    live, _token = await service.go_live()
    await service.publish(live, "s1")
    await service.publish(live, "s2")
    await service.hook("ready", live["path"], "s1")
    connection = await asyncpg.connect(database_url)
    try:
        current = await connection.fetchval(
            "SELECT publisher_id FROM live_streaming_sessions WHERE path = $1",
            live["path"],
        )
    finally:
        await connection.close()
    assert current == "s2"


async def test_a_node_needs_its_secret(service: Service) -> None:
    live, _token = await service.go_live()
    await service.auth(publish(live["path"], live["key"], id="s1"))
    assert await service.hook("ready", live["path"], "s1", secret="wrong") == 401
    assert await service.hook("ready", live["path"], "s1", secret="") == 401
    assert await service.status(live) == "created"


async def test_messages_that_cannot_be_meant(service: Service) -> None:
    assert await service.hook("dance", "live/1", "s1") == 404
    assert await service.hook("ready", "", "s1") == 400
    assert await service.hook("ready", "x" * 300, "s1") == 400
    assert await service.hook("ready", "live/1", "") == 204  # a slate has no source


async def test_events_are_numbered_without_a_gap(
    service: Service, database_url: str
) -> None:
    live, token = await service.go_live()
    await service.publish(live, "s1")
    await service.hook("not_ready", live["path"], "s1")
    await service.publish(live, "s2")
    await service.ask("liveStream", {"id": live["id"], "ended_at": "x"}, token)
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch(
            "SELECT seq, type FROM events WHERE subject = 'session' ORDER BY seq"
        )
    finally:
        await connection.close()
    assert [(row["seq"], row["type"]) for row in rows] == [
        (1, "live.created"),
        (2, "live.started"),
        (3, "live.reconnecting"),
        (4, "live.resumed"),
        (5, "live.ended"),
    ]
