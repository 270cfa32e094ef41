"""Two who look after a node, for as long as one does not know that it is another's."""

from datetime import timedelta

from control_plane.config.live import LiveSettings
from control_plane.live.model.starts import Start
from control_plane.live.model.viewers import WINDOW
from control_plane.live.service.lifecycle import Source
from control_plane.live.service.owner import LEASES_TAKEN_EVERY
from control_plane.live.store import sessions
from control_plane.live.store.nodes import LEASE
from control_plane.people.model.users import User
from control_plane.wiring.services import Services
from tests.support.nodes import NEWEST


def test_another_takes_over_while_the_last_look_counts() -> None:
    """It may have been a whole round old when its owner was killed."""
    round_ = LiveSettings.model_fields["reconcile_seconds"].default
    assert LEASE.total_seconds() + LEASES_TAKEN_EVERY <= WINDOW - round_


async def test_what_stood_still_with_an_old_list_brings_nobody_back(
    opened: Services, ann: User
) -> None:
    pool, lifecycle = opened.pool, opened.lifecycle
    path = (await opened.broadcasts.start(ann, Start())).session.path
    gone, there = (Source("local", path, "rtmpConn", name) for name in ("a", "b"))
    assert await lifecycle.ready(gone, listed_at=NEWEST) == "started"
    asked_at = await sessions.clock(pool) - timedelta(minutes=1)
    assert await lifecycle.not_ready(gone)
    assert await lifecycle.ready(there, listed_at=NEWEST) == "resumed"
    await pool.execute(
        "UPDATE publish_grants SET ended_at = ended_at - interval '30 s'"
    )
    assert await lifecycle.ready(gone, listed_at=asked_at) == "nothing"
