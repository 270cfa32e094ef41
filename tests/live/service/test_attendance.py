"""What is kept of a session's viewers when nobody watches any more."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from control_plane.base.database import Pool
from control_plane.base.faults import Away
from control_plane.base.redis import open_redis
from control_plane.live.model.attendance import Attended, Minute, Span
from control_plane.live.model.starts import Start
from control_plane.live.service import attendance
from control_plane.live.service.attendance import Attendance
from control_plane.live.store import sessions
from control_plane.live.store.viewers import ViewerSets
from control_plane.people.model.users import User
from control_plane.wiring.services import Services, services
from tests.support.api import running, settings
from tests.support.closed import closed
from tests.support.commands import command
from tests.support.locks import WAITING, held_up
from tests.support.stack import until
from tests.support.valkeys import alone

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
START = NOON.timestamp()

Attending = Callable[[], Attendance]


@pytest.fixture
async def session_id(opened: Services, ann: User) -> int:
    return (await opened.broadcasts.start(ann, Start())).session.id


@pytest.fixture
def attending(opened: Services) -> Attending:
    """As each process has one of its own."""
    return lambda: Attendance(opened.pool, ViewerSets(opened.redis))


def minute(number: int, viewers: int, seconds: float) -> Minute:
    return Minute(NOON.replace(minute=number), viewers, seconds)


async def test_minutes_add_up(
    opened: Services, attending: Attending, session_id: int
) -> None:
    one = attending()
    one.watched({session_id: 3}, START + 10, START + 12)
    one.watched({session_id: 5}, START + 12, START + 14)
    one.watched({session_id: 2}, START + 70, START + 72)
    one.joined({session_id: {"a", "b", "c"}})
    await one.flush()
    one.joined({session_id: {"c", "d"}})
    one.watched({session_id: 2}, START + 72, START + 74)
    await one.flush()
    assert await opened.broadcasts.attended(session_id) == Attended(
        4, 24.0, [minute(0, 5, 16.0), minute(1, 2, 8.0)]
    )


async def test_they_are_written_while_something_is_decided_about_the_session(
    opened: Services, attending: Attending, session_id: int
) -> None:
    one = attending()
    one.watched({session_id: 3}, START + 10, START + 12)
    async with opened.pool.transaction() as connection:
        await sessions.get_locked(connection, session_id)
        writing = asyncio.create_task(one.flush())
        await held_up(opened.pool, writing)
        assert writing.done()
    await writing


async def test_of_one_whom_nobody_watched_there_is_nothing(
    opened: Services, attending: Attending, session_id: int
) -> None:
    one = attending()
    one.watched({session_id: 0}, START, START + 2)
    await one.flush()
    assert await opened.broadcasts.attended(session_id) == Attended(0, 0.0, ())


async def test_two_who_look_at_the_same_time_count_it_once(
    opened: Services, attending: Attending, session_id: int
) -> None:
    one, two = attending(), attending()
    one.watched({session_id: 4}, START, START + 10)
    one.joined({session_id: {"a", "b", "c", "d"}})
    two.watched({session_id: 4}, START + 6, START + 16)
    two.joined({session_id: {"a", "b", "c", "d"}})
    await one.flush()
    await two.flush()
    assert await opened.broadcasts.attended(session_id) == Attended(
        4, 64.0, [minute(0, 4, 64.0)]
    )


async def test_a_new_process_goes_on_where_the_last_one_stopped(
    opened: Services, attending: Attending, session_id: int
) -> None:
    before, after = attending(), attending()
    before.watched({session_id: 1}, START, START + 10)
    await before.flush()
    after.watched({session_id: 1}, START + 13, START + 20)
    await after.flush()
    assert (await opened.broadcasts.attended(session_id)).viewer_seconds == 17.0


async def test_what_could_not_be_written_is_written_later(
    opened: Services, session_id: int, server_folder: Path
) -> None:
    # Others share the run's Valkey, and would be held up too.
    async with alone(server_folder) as url, open_redis(url) as redis:
        one = Attendance(opened.pool, ViewerSets(redis))
        one.watched({session_id: 1}, START, START + 10)
        one.joined({session_id: {"a"}})
        # For longer than a command may take; of those that write.
        await redis.client_pause(60_000, all=False)
        with pytest.raises(Away):
            await one.flush()
        await redis.client_unpause()
        one.watched({session_id: 1}, START + 10, START + 20)
        await until(lambda: _written(one))
    assert await opened.broadcasts.attended(session_id) == Attended(
        1, 20.0, [minute(0, 1, 20.0)]
    )


async def test_how_long_they_watched_is_written_while_redis_is_away(
    opened: Services, session_id: int
) -> None:
    """Part of a cluster is enough, since sessions are everywhere in it."""
    async with open_redis("redis://127.0.0.1:1") as redis:
        one = Attendance(opened.pool, ViewerSets(redis))
        one.watched({session_id: 2}, START, START + 10)
        one.joined({session_id: {"a", "b"}})
        with pytest.raises(Away):
            await one.flush()
    assert await opened.broadcasts.attended(session_id) == Attended(
        0, 20.0, [minute(0, 2, 20.0)]
    )


async def _written(one: Attendance) -> bool:
    """A server that said nothing is let alone for a moment."""
    try:
        await one.flush()
    except Away:
        return False
    return True


async def test_redis_is_told_once_while_postgres_is_away(
    opened: Services,
    session_id: int,
    owner: Pool,
    database_url: str,
    server_folder: Path,
) -> None:
    async with alone(server_folder) as url, open_redis(url) as redis:
        one = Attendance(opened.pool, ViewerSets(redis))
        one.watched({session_id: 2}, START, START + 10)
        one.joined({session_id: {"a", "b"}})
        async with closed(owner, database_url):
            for _ in range(3):
                with pytest.raises(Away):
                    await one.flush()
        await until(lambda: _written(one))
        told = (await redis.info("commandstats"))["cmdstat_pfadd"]["calls"]
    assert await opened.broadcasts.attended(session_id) == Attended(
        2, 20.0, [minute(0, 2, 20.0)]
    )
    assert told == 1


async def test_no_more_wait_for_redis_than_it_can_be_told(
    opened: Services,
    attending: Attending,
    session_id: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attendance, "MOST_NAMES", 3)
    one = attending()
    for name in "abcde":
        one.joined({session_id: {name}})
    await one.flush()
    one.joined({session_id: {"f"}})
    await one.flush()
    assert (await opened.broadcasts.attended(session_id)).unique_viewers == 4


async def test_the_last_is_written_when_it_ends(
    opened: Services, attending: Attending, session_id: int
) -> None:
    one = attending()
    async with one.running():
        one.watched({session_id: 1}, START, START + 10)
    assert (await opened.broadcasts.attended(session_id)).viewer_seconds == 10.0


async def test_so_is_what_was_being_written_then(
    opened: Services, attending: Attending, session_id: int
) -> None:
    one = attending()
    one.watched({session_id: 1}, START, START + 10)
    one.joined({session_id: {"a"}})
    async with opened.pool.transaction() as other:
        await other.execute("LOCK TABLE session_attendance")
        writing = asyncio.create_task(one.flush())
        await until(lambda: opened.pool.fetchval(WAITING))
        writing.cancel()
        await asyncio.wait([writing])
    async with one.running():
        pass
    assert await opened.broadcasts.attended(session_id) == Attended(
        1, 10.0, [minute(0, 1, 10.0)]
    )


async def test_unique_viewers_are_near_the_truth(
    opened: Services, attending: Attending, session_id: int
) -> None:
    one = attending()
    for start in range(0, 50_000, 1000):
        viewers = {f"{number}" for number in range(start, start + 1100)}
        one.joined({session_id: viewers})
    await one.flush()
    found = (await opened.broadcasts.attended(session_id)).unique_viewers
    assert abs(found / 50_100 - 1) < 0.03


async def test_its_host_and_operators_read_it(
    database_url: str, redis_url: str
) -> None:
    wanted = settings(database_url, redis_url)
    async with running(wanted) as app, services(wanted) as opened:
        ann, bob = await app.sign_in("ann"), await app.sign_in("bob")
        live = (await ann.ask("liveStream", {}))["LiveStreaming"]
        one = Attendance(opened.pool, ViewerSets(opened.redis))
        one.watched({int(live["id"]): 2}, START, START + 30)
        one.joined({int(live["id"]): {"a", "b", "c"}})
        await one.flush()
        own = (await ann.ask("showLiveStream", {"id": live["id"]}))["LiveStreaming"]
        others = (await bob.ask("showLiveStream", {"id": live["id"]}))["LiveStreaming"]
    assert (own["unique_viewers"], own["watched_seconds"]) == (3, 60)
    first = {"minute": "2026-11-22 12:00:00", "viewers_max": 2, "watched_seconds": 60}
    assert own["minutes"] == [first]
    assert not {"unique_viewers", "watched_seconds", "minutes"} & set(others)
    env = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "CONTROL_PLANE_ENV": "development",
        "CONTROL_PLANE_SECRET": "s" * 32,
    }
    said = await command(env, "sessions", "show", live["id"], "--json")
    shown = json.loads(said.stdout)["attended"]
    assert (shown["unique_viewers"], shown["viewer_seconds"]) == (3, 60)
    said = await command(env, "sessions", "minutes", live["id"], "--json")
    assert [one["viewers_max"] for one in json.loads(said.stdout)] == [2]


def test_a_span_that_was_counted_in_part() -> None:
    span = Span(1, 100.0, 110.0, 50.0, 5)
    assert span.after(90.0) == span
    assert span.after(104.0) == Span(1, 104.0, 110.0, 30.0, 5)
    assert span.after(120.0).viewer_seconds == 0.0
