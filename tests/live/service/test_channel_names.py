"""A name belongs to one user, as a username or as a channel's; `user-<id>` to that
user."""

import asyncio

import pytest

from control_plane.base.faults import Taken
from control_plane.base.refusals import Refusal
from control_plane.live.store import channels
from control_plane.people.model.users import User
from control_plane.people.store import users
from control_plane.wiring.services import Services
from tests.live.service.conftest import new_user
from tests.support.locks import held_up


async def _channel(opened: Services, user: User, name: str) -> str:
    return (await opened.lasting_keys.create(user, "", name)).channel.name


async def test_another_users_name_is_refused(opened: Services, ann: User) -> None:
    bob = await new_user(opened.pool, "Famous")
    with pytest.raises(Refusal, match="isn't available"):
        await _channel(opened, ann, "famous")
    assert await _channel(opened, bob, "famous") == "famous"


async def test_one_who_asks_twice_at_once_has_one_channel(
    opened: Services, ann: User
) -> None:
    async with opened.pool.transaction() as first:
        await channels.create(first, ann.id, "coffee")
        second = asyncio.create_task(_channel(opened, ann, "coffee"))
        await held_up(opened.pool, second)
    assert await second == "coffee"


async def test_the_channel_of_a_users_id_is_that_users(
    opened: Services, ann: User
) -> None:
    bob = await new_user(opened.pool, "bob")
    for name in (f"user-{bob.id}", "user-4711", f"user-0{ann.id}"):
        with pytest.raises(Refusal, match="isn't available"):
            await _channel(opened, ann, name)
    assert await _channel(opened, bob, f"user-{bob.id}") == f"user-{bob.id}"


async def test_a_username_cannot_take_a_channels_name(
    opened: Services, ann: User
) -> None:
    await _channel(opened, ann, "coffee")
    with pytest.raises(Taken):
        await new_user(opened.pool, "Coffee")
    bob = await new_user(opened.pool, "bob")
    for name in ("Coffee", f"user-{ann.id}", "User-4711"):
        with pytest.raises(Taken):
            await _rename(opened, bob, name)
    await _rename(opened, bob, f"user-{bob.id}")
    await _rename(opened, ann, "Coffee")


async def _rename(opened: Services, user: User, name: str) -> None:
    await opened.pool.execute(
        "UPDATE users SET username = $2 WHERE id = $1", user.id, name
    )


async def test_a_user_whose_name_is_not_free_as_a_channel_gets_the_ids(
    opened: Services, ann: User
) -> None:
    await _channel(opened, ann, "ann2")
    await _rename(opened, ann, "annie")
    short = await new_user(opened.pool, "Al")  # too short for a channel
    assert await _channel(opened, short, "") == f"user-{short.id}"


async def test_two_who_want_one_name_at_once(opened: Services, ann: User) -> None:
    """One as a channel, the other as a username."""
    for n in range(10):
        fan = await new_user(opened.pool, f"fan{n}")
        results = await asyncio.gather(
            _channel(opened, fan, f"wanted{n}"),
            _rename(opened, ann, f"Wanted{n}"),
            return_exceptions=True,
        )
        refused = [one for one in results if isinstance(one, Exception)]
        assert len(refused) == 1, results
        channel = await opened.pool.fetchval(
            "SELECT name FROM channels WHERE user_id = $1", fan.id
        )
        user = await users.get(opened.pool, ann.id)
        assert user is not None
        assert (channel is None) == (user.username == f"Wanted{n}")
