"""A host deletes the account in the middle of a broadcast on a channel."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from control_plane.live.model.sessions import LiveSession
from control_plane.live.service.departure import Departure
from control_plane.live.service.lasting_keys import LastingKey
from control_plane.live.store import keys, sessions
from control_plane.people.model.users import User
from control_plane.people.service.deletion import Deletion
from control_plane.wiring.services import Services
from tests.live.service.conftest import new_user
from tests.live.service.publishing import FakeNode, one_round, publishing
from tests.support.locks import WAITING
from tests.support.stack import until


@pytest.fixture
async def node(opened: Services) -> AsyncIterator[FakeNode]:
    async with publishing(opened) as fake:
        yield fake


@pytest.fixture
async def live(opened: Services, node: FakeNode, ann: User) -> LiveSession:
    made = await opened.lasting_keys.create(ann, "", "ann-live")
    node.add("one", made.channel.path, f"key={made.key}")
    await one_round(opened)
    session = await sessions.open_of_user(opened.pool, ann.id)
    assert session is not None
    assert session.status == "live"
    return session


async def _takes_the_name(opened: Services) -> LastingKey:
    bob = await new_user(opened.pool, "bob")
    return await opened.lasting_keys.create(bob, "", "ann-live")


async def _may_broadcast(opened: Services, made: LastingKey) -> bool:
    path = made.channel.path
    permission = (await keys.permissions(opened.pool, [path]))[path]
    return not permission.banned and permission.user_id == made.channel.user_id


async def test_it_is_cut_and_the_name_is_free(
    opened: Services, node: FakeNode, live: LiveSession
) -> None:
    departure = Departure(opened.pool, opened.broadcasts)
    deletion = Deletion(opened.pool, [departure.forget], departure.leave)
    await deletion.delete(live.user_id)
    assert node.publishers == {}
    over = await opened.broadcasts.get(live.id)
    assert over.end_reason == "completed"
    assert "ann" not in over.path
    assert await _may_broadcast(opened, await _takes_the_name(opened))


async def test_so_it_is_when_the_process_dies_before_the_cut(
    opened: Services, node: FakeNode, live: LiveSession
) -> None:
    """Rounds cut, and end it when its time to come back is over."""

    async def dies(_: int) -> None:
        """Nothing else happens."""

    departure = Departure(opened.pool, opened.broadcasts)
    await Deletion(opened.pool, [departure.forget], dies).delete(live.user_id)
    made = await _takes_the_name(opened)
    await one_round(opened)
    assert node.publishers == {}
    await one_round(opened)
    await opened.pool.execute(
        "UPDATE live_streaming_sessions SET reconnect_until = now()"
    )
    await one_round(opened)
    over = await opened.broadcasts.get(live.id)
    assert (over.status, "ann" in over.path) == ("ended", False)
    assert await _may_broadcast(opened, made)


async def test_who_remembers_the_old_name_is_told(
    opened: Services, ann: User, database_url: str
) -> None:
    made = await opened.lasting_keys.create(ann, "", "ann-live")
    told = asyncio.Event()

    def hear(*notice: object) -> None:
        if notice[-1] == made.channel.path:
            told.set()

    listening = await asyncpg.connect(database_url)
    await listening.add_listener("permissions", hear)
    departure = Departure(opened.pool, opened.broadcasts)
    await Deletion(opened.pool, [departure.forget], departure.leave).delete(ann.id)
    await told.wait()
    await listening.close()


async def test_one_that_ends_in_that_moment_keeps_no_name(
    opened: Services, live: LiveSession
) -> None:
    departure = Departure(opened.pool, opened.broadcasts)
    async with opened.reserved.transaction() as connection:
        await departure.forget(connection, live.user_id)
        ending = asyncio.create_task(opened.lifecycle.end(live, "disconnected"))
        await until(lambda: opened.pool.fetchval(WAITING), pause=0.01)
    assert await ending
    assert "ann" not in (await opened.broadcasts.get(live.id)).path
