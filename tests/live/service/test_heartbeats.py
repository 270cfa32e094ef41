"""A live session says so from time to time."""

from control_plane.base.database import Pool
from control_plane.live.service.heartbeats import Heartbeats
from control_plane.wiring.services import Services
from tests.support.money import end_session, kinds, new_session, new_user


async def test_a_live_session_says_so(opened: Services) -> None:
    pool = opened.pool
    session = await new_session(pool, await new_user(pool))
    other = await new_session(pool, await new_user(pool), "reconnecting")
    await _time_passes(pool)
    one, two = (Heartbeats(pool, opened.counts, 60.0) for _ in range(2))
    await one.turn()
    await two.turn()
    assert await kinds(pool, "session", session) == ["live.heartbeat"]
    assert await kinds(pool, "session", other) == []
    await _time_passes(pool)
    await one.turn()
    assert await kinds(pool, "session", session) == ["live.heartbeat"] * 2
    await _time_passes(pool)
    await end_session(pool, session)
    await one.turn()
    assert await kinds(pool, "session", session) == ["live.heartbeat"] * 2


async def _time_passes(pool: Pool) -> None:
    await pool.execute(
        "UPDATE live_streaming_sessions SET started_at = started_at - interval '1 h',"
        " heartbeat_at = heartbeat_at - interval '1 h'"
    )
