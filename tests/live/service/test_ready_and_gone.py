"""A publisher's ``ready`` and its end, of which two processes may tell at once."""

import asyncio

from control_plane.base.database import Pool
from control_plane.live.model.sessions import LiveSession
from control_plane.live.service.lifecycle import Source
from control_plane.live.store import grants, sessions
from control_plane.wiring.services import Services
from tests.support.locks import held_up


async def test_an_end_counts_after_the_ready_that_is_being_written(
    opened: Services, pool: Pool, created: LiveSession
) -> None:
    source = Source(created.node, created.path, "rtmpConn", "one")
    async with pool.transaction() as ready:
        # As ``ready`` does: it locks the session, and asks whether this one is gone.
        await sessions.open_at_path(ready, source.path)
        assert not await grants.of(ready, source.node, [source.id])
        leaving = asyncio.create_task(opened.lifecycle.not_ready(source))
        await held_up(pool, leaving)
        await sessions.make_live(
            ready,
            created.id,
            "created",
            node=source.node,
            publisher_type=source.type,
            publisher_id=source.id,
            key_id=None,
        )
    assert await leaving
