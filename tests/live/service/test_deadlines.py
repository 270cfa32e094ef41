"""A deadline ends what it was read of, and nothing that has moved on since."""

from datetime import timedelta

import pytest

from control_plane.base.database import Pool
from control_plane.live.model.keys import NewKey
from control_plane.live.model.sessions import LiveSession
from control_plane.live.model.starts import Start, Wanted
from control_plane.live.service.lifecycle import Lifecycle, Source, Spans
from control_plane.live.store import grants, openings, sessions
from control_plane.wiring.services import Services
from tests.live.service.one_viewer import OneViewer
from tests.live.service.publishing import one_round
from tests.support.nodes import NEWEST

AT_ONCE = timedelta(0)


@pytest.fixture
def lifecycle(pool: Pool) -> Lifecycle:
    return Lifecycle(pool, Spans(reconnect_window=0, longest=timedelta(hours=1)))


async def _now(pool: Pool, session_id: int) -> LiveSession:
    session = await sessions.get(pool, session_id)
    assert session is not None
    return session


def _publisher(session: LiveSession, source_id: str) -> Source:
    return Source(session.node, session.path, "rtmpConn", source_id)


async def _lost(lifecycle: Lifecycle, session: LiveSession) -> None:
    await lifecycle.ready(_publisher(session, "one"), listed_at=NEWEST)
    assert await lifecycle.not_ready(_publisher(session, "one"))


async def _overdue(pool: Pool) -> LiveSession:
    (session,) = await sessions.past_reconnect_deadline(
        pool, "local", await sessions.clock(pool), AT_ONCE
    )
    return session


async def test_one_that_came_back_in_time_stays_live(
    pool: Pool, lifecycle: Lifecycle, created: LiveSession
) -> None:
    await _lost(lifecycle, created)
    overdue = await _overdue(pool)
    assert (
        await lifecycle.ready(_publisher(created, "two"), listed_at=NEWEST) == "resumed"
    )
    assert not await lifecycle.end_overdue(overdue, "disconnected")
    assert (await _now(pool, created.id)).status == "live"


async def test_one_that_came_back_and_was_lost_again_has_a_new_deadline(
    pool: Pool, lifecycle: Lifecycle, created: LiveSession
) -> None:
    await _lost(lifecycle, created)
    overdue = await _overdue(pool)
    await lifecycle.ready(_publisher(created, "two"), listed_at=NEWEST)
    await lifecycle.not_ready(_publisher(created, "two"))
    assert not await lifecycle.end_overdue(overdue, "disconnected")
    assert await lifecycle.end_overdue(await _overdue(pool), "disconnected")
    assert (await _now(pool, created.id)).status == "ended"


async def test_one_that_was_published_at_last_does_not_expire(
    pool: Pool, lifecycle: Lifecycle, created: LiveSession
) -> None:
    (overdue,) = await sessions.never_published(
        pool, "local", await sessions.clock(pool), AT_ONCE, AT_ONCE
    )
    await lifecycle.ready(_publisher(created, "one"), listed_at=NEWEST)
    assert not await lifecycle.end_overdue(overdue, "expired")
    assert (await _now(pool, created.id)).status == "live"


async def test_one_that_was_started_again_does_not_expire(
    pool: Pool, lifecycle: Lifecycle, created: LiveSession
) -> None:
    (overdue,) = await sessions.never_published(
        pool, "local", await sessions.clock(pool), AT_ONCE, AT_ONCE
    )
    key = NewKey(bytes([1] * 32), "", timedelta(hours=1))
    assert await openings.again(pool, [Wanted(created.user_id, Start(), key)])
    assert not await lifecycle.end_overdue(overdue, "expired")
    assert (await _now(pool, created.id)).status == "created"


async def test_one_that_is_too_long_ends_whether_live_or_not(
    pool: Pool, lifecycle: Lifecycle, created: LiveSession
) -> None:
    await lifecycle.ready(_publisher(created, "one"), listed_at=NEWEST)
    (overdue,) = await sessions.too_long(pool, "local", await sessions.clock(pool))
    assert await lifecycle.end_overdue(overdue, "too_long")
    assert (await _now(pool, created.id)).end_reason == "too_long"


async def test_one_whose_encoder_was_let_in_at_the_last_moment_does_not_end(
    opened: Services, node: OneViewer, lifecycle: Lifecycle, created: LiveSession
) -> None:
    """The node looks at its tracks still, and lists nobody."""
    await opened.pool.execute("UPDATE live_streaming_sessions SET longest = '1 h'")
    await _lost(lifecycle, created)
    await grants.add(opened.pool, "local", "two", created.path, None)
    await one_round(opened)
    assert (await _now(opened.pool, created.id)).status == "reconnecting"
    two = _publisher(created, "two")
    assert await lifecycle.ready(two, listed_at=NEWEST) == "resumed"


@pytest.mark.parametrize(
    "what", ["granted_at = now() - interval '16 s'", "ended_at = now()"]
)
async def test_one_whose_encoder_did_not_stay_ends(
    opened: Services,
    node: OneViewer,
    lifecycle: Lifecycle,
    created: LiveSession,
    what: str,
) -> None:
    await opened.pool.execute("UPDATE live_streaming_sessions SET longest = '1 h'")
    await _lost(lifecycle, created)
    await grants.add(opened.pool, "local", "two", created.path, None)
    await opened.pool.execute(f"UPDATE publish_grants SET {what}")  # noqa: S608
    await one_round(opened)
    assert (await _now(opened.pool, created.id)).end_reason == "disconnected"
