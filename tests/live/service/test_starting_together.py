"""Broadcasts that are started at the same moment."""

import asyncio

from control_plane.base.refusals import Unavailable
from control_plane.live.model.keys import hash_key
from control_plane.live.model.permissions import find_key
from control_plane.live.model.rights import WatchTerms
from control_plane.live.model.starts import Start
from control_plane.live.service.broadcasts import Started
from control_plane.live.store import keys
from control_plane.people.model.users import User
from control_plane.wiring.services import Services
from tests.live.service.conftest import new_user


async def _all_start(
    opened: Services, users: list[User], start: Start | None = None
) -> list[Started]:
    start = start or Start()
    return await asyncio.gather(
        *(opened.broadcasts.start(user, start) for user in users)
    )


async def _types(opened: Services, session_id: int) -> list[str]:
    return [one.type for one in await opened.events.reading.of_session(session_id, 0)]


async def test_everybody_has_a_session_and_a_key_that_opens_it(
    opened: Services,
) -> None:
    users = [await new_user(opened.pool, f"host{n}") for n in range(12)]
    started = await _all_start(opened, users, Start(title="Hello"))

    assert [one.session.user_id for one in started] == [user.id for user in users]
    assert len({one.session.path for one in started}) == len(users)
    known = await keys.permissions(opened.pool, [one.session.path for one in started])
    for one in started:
        digest = hash_key(opened.secrets.key_peppers(), one.key)
        assert find_key(known[one.session.path], [digest]) is not None
        assert await _types(opened, one.session.id) == ["live.created"]


async def test_one_who_starts_five_times_at_once_has_one_session(
    opened: Services, ann: User
) -> None:
    bob = await new_user(opened.pool, "bob")
    started = await _all_start(opened, [ann, ann, bob, ann, ann, ann])

    assert len({one.session.id for one in started}) == 2
    assert len({one.key for one in started}) == 6
    assert await _types(opened, started[0].session.id) == ["live.created"]


async def test_those_who_start_again_and_those_who_are_new(
    opened: Services, ann: User
) -> None:
    bob = await new_user(opened.pool, "bob")
    (before,) = await _all_start(opened, [ann], Start(title="One"))
    again, new = await _all_start(opened, [ann, bob], Start(title="Two"))

    assert again.session.id == before.session.id
    assert again.session.title == new.session.title == "Two"
    expected = ["live.created", "live.changed"]
    assert await _types(opened, again.session.id) == expected


async def test_the_same_title_again_is_no_change(opened: Services, ann: User) -> None:
    for _ in range(2):
        (started,) = await _all_start(opened, [ann], Start(title="One"))
    assert await _types(opened, started.session.id) == ["live.created"]


async def test_each_has_the_policy_that_it_asks_for(
    opened: Services, ann: User
) -> None:
    bob = await new_user(opened.pool, "bob")
    for_followers = Start(watch=WatchTerms("followers"))
    of_ann, of_bob = await asyncio.gather(
        opened.broadcasts.start(ann, for_followers),
        opened.broadcasts.start(bob, Start()),
    )
    assert of_ann.session.policy == "followers"
    assert of_bob.session.policy == "default"


async def test_without_a_node_only_those_who_have_a_session_go_on(
    opened: Services, ann: User
) -> None:
    bob = await new_user(opened.pool, "bob")
    await _all_start(opened, [ann])
    await opened.nodes.set_draining("local", draining=True)
    again, new = await asyncio.gather(
        opened.broadcasts.start(ann, Start()),
        opened.broadcasts.start(bob, Start()),
        return_exceptions=True,
    )
    assert isinstance(again, Started)
    assert isinstance(new, Unavailable)
