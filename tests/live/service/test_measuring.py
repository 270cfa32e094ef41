"""How streams come in, as the process that looks at their node tells it to others."""

import time

import pytest

from control_plane.events import store as events
from control_plane.live.model.ingest import Segment
from control_plane.live.model.sessions import LiveSession
from control_plane.live.model.starts import Start
from control_plane.live.service.lifecycle import Source
from control_plane.live.service.measuring import Measuring
from control_plane.live.store.ingest import IngestStore
from control_plane.people.model.users import User
from control_plane.wiring.services import Services
from mediamtx.payloads import Intake, Publisher
from tests.support.nodes import NEWEST

ROUND = 5.0  # seconds


@pytest.fixture
async def session(opened: Services, ann: User) -> LiveSession:
    return await live(opened, ann)


async def live(opened: Services, user: User) -> LiveSession:
    started = (await opened.broadcasts.start(user, Start())).session
    source = Source("local", started.path, "rtmpConn", "source")
    await opened.lifecycle.ready(source, listed_at=NEWEST)
    return await opened.broadcasts.get(started.id)


class Rounds:
    """Of one process that looks at the node."""

    def __init__(self, opened: Services, began: float | None = None) -> None:
        self._opened = opened
        self._now = time.time() if began is None else began
        store = IngestStore(opened.redis)
        self.measuring = Measuring(opened.pool, store, lambda: self._now)

    async def go(self, session: LiveSession, key_frames: float, times: int) -> None:
        for _ in range(times):
            self._now += ROUND
            intake = Intake(round(self._now * 250_000), 0, "H264", "High", 1280, 720)
            encoder = Publisher(
                session.path, "rtmpConn", "source", True, "", "", intake
            )
            segment = Segment(self._now, 0.0, (key_frames,) * 3, 30.0)
            self.measuring.shown("local", session.id, segment)
            node = await self._opened.nodes.get("local")
            await self.measuring.look(node, [encoder], [session])


async def told(opened: Services, session: LiveSession) -> list[str]:
    found = await events.of_subject(opened.pool, "session", session.id, 0)
    return [one.type for one in found if one.type.startswith("ingest.")]


async def test_operators_see_later_how_it_came_in(
    opened: Services, session: LiveSession
) -> None:
    rounds = Rounds(opened)
    await rounds.go(session, 2.0, 3)
    await rounds.measuring.keep()
    await rounds.measuring.keep()
    kept = await opened.ingest_health.history(session.id)
    assert {(one.bitrate, one.frames_in_error) for one in kept} == {(2_000_000, 0)}
    assert len(kept) <= 2


async def test_what_is_wrong_is_told_once_and_its_end_too(
    opened: Services, session: LiveSession
) -> None:
    rounds = Rounds(opened)
    await rounds.go(session, 8.0, 8)
    assert await told(opened, session) == ["ingest.degraded"]
    health = await opened.ingest_health.of(session)
    assert health is not None
    assert (health.problems, health.bitrate) == (("key_frames",), 2_000_000)
    await rounds.go(session, 2.0, 8)
    assert await told(opened, session) == ["ingest.degraded", "ingest.recovered"]
    [seen] = await opened.ingest_health.live(10)
    assert seen.session.id == session.id
    assert seen.health is not None
    assert seen.health.problems == ()


async def test_who_takes_a_node_over_does_not_tell_it_again(
    opened: Services, session: LiveSession
) -> None:
    await Rounds(opened).go(session, 8.0, 8)
    other = Rounds(opened)
    await other.go(session, 8.0, 8)
    assert await told(opened, session) == ["ingest.degraded"]
    await other.go(session, 2.0, 8)
    assert await told(opened, session) == ["ingest.degraded", "ingest.recovered"]


async def test_nothing_is_told_of_what_is_over(
    opened: Services, session: LiveSession
) -> None:
    """It ended between the reading of the tables and this."""
    await opened.lifecycle.end(session, "completed")
    await Rounds(opened).go(session, 8.0, 8)
    assert await told(opened, session) == []
    ended = await opened.broadcasts.get(session.id)
    assert await opened.ingest_health.of(ended) is None


async def test_old_measures_are_no_health(
    opened: Services, session: LiveSession
) -> None:
    await Rounds(opened, time.time() - 60).go(session, 2.0, 2)
    assert await opened.ingest_health.of(session) is None


async def test_sessions_that_are_gone_leave_nothing_behind(
    opened: Services, session: LiveSession
) -> None:
    rounds = Rounds(opened)
    await rounds.go(session, 2.0, 2)
    await rounds.measuring.look(await opened.nodes.get("local"), [], [])
    assert await opened.redis.hlen("ingest:{local}") == 0
    assert rounds.measuring.live() == []
