"""A publisher's ``ready`` and its end, of which two processes may tell at once."""

import asyncio

from control_plane.base.database import Pool
from control_plane.live.model.sessions import LiveSession
from control_plane.live.service.lifecycle import Source
from control_plane.live.store import grants, sessions
from control_plane.people.model.users import User
from control_plane.wiring.services import Services
from tests.support.locks import held_up
from tests.support.money import new_session
from tests.support.nodes import NEWEST


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


async def test_two_who_tell_that_it_is_ready_open_one_session(
    opened: Services, owner: Pool, ann: User
) -> None:
    """A hook, and a round that lists the publisher."""
    key = await opened.lasting_keys.create(ann, "", f"of-{ann.id}")
    source = Source("node", key.channel.path, "rtmpConn", "p")
    async with owner.transaction() as hook:
        await sessions.lock_path(hook, source.path)
        await hook.execute("LOCK TABLE channels")  # where the other would go on
        listed = asyncio.create_task(opened.lifecycle.ready(source, listed_at=NEWEST))
        await held_up(owner, listed)
        session_id = await new_session(hook, ann.id)
    assert await listed == "nothing"
    session = await sessions.get(opened.pool, session_id)
    assert session is not None
    assert session.status == "live"
