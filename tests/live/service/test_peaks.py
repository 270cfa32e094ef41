"""Peaks are raised beside whoever else locks sessions, many at a time."""

import asyncio

from control_plane.base.database import Pool
from control_plane.live.model.starts import Start
from control_plane.live.service.lifecycle import Source
from control_plane.live.store import sessions
from control_plane.wiring.services import Services
from tests.live.service.conftest import new_user
from tests.support.locks import WAITING
from tests.support.nodes import NEWEST
from tests.support.stack import until


async def _live(opened: Services, username: str) -> int:
    user = await new_user(opened.pool, username)
    session = (await opened.broadcasts.start(user, Start())).session
    source = Source("local", session.path, "rtmpConn", username)
    await opened.lifecycle.ready(source, listed_at=NEWEST)
    return session.id


async def _somebody_waits(pool: Pool) -> bool:
    return bool(await pool.fetchval(WAITING))


async def test_gifts_to_the_same_sessions_are_no_deadlock(opened: Services) -> None:
    one, two = await _live(opened, "ann"), await _live(opened, "bob")
    async with opened.pool.transaction() as gifts:
        await sessions.lock(gifts, [one])
        higher = [(two, 7), (one, 5)]
        raising = asyncio.create_task(sessions.raise_peaks(opened.pool, higher))
        await until(lambda: _somebody_waits(opened.pool), pause=0.02)
        await sessions.lock(gifts, [two])
    await raising
    found = [await opened.broadcasts.get(session_id) for session_id in (one, two)]
    assert [session.peak_viewers for session in found] == [5, 7]
