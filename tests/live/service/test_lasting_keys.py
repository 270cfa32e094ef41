"""A channel and its keys."""

import asyncio
from datetime import timedelta
from functools import partial

import pytest

from control_plane.base.refusals import Empty, Refusal
from control_plane.live.model.keys import MOST_OF_CHANNEL, Terms
from control_plane.live.model.starts import Start
from control_plane.live.service.lasting_keys import LastingKey
from control_plane.live.service.lifecycle import Source
from control_plane.live.store import grants, keys, sessions
from control_plane.people.model.users import User
from control_plane.wiring.services import Services


async def test_a_channel_has_only_so_many_keys(opened: Services, ann: User) -> None:
    first = await opened.lasting_keys.create(ann, "first", "")
    more = await asyncio.gather(
        *(opened.lasting_keys.create(ann, "", "") for _ in range(MOST_OF_CHANNEL + 5)),
        return_exceptions=True,
    )
    made = [one for one in more if isinstance(one, LastingKey)]
    assert len(made) == MOST_OF_CHANNEL - 1
    assert all(isinstance(one, LastingKey | Refusal) for one in more)
    path = first.channel.path
    permission = (await keys.permissions(opened.pool, [path]))[path]
    assert len(permission.keys) == MOST_OF_CHANNEL


async def test_a_revoked_key_makes_room(opened: Services, ann: User) -> None:
    made = [
        await opened.lasting_keys.create(ann, "", "") for _ in range(MOST_OF_CHANNEL)
    ]
    await opened.lasting_keys.revoke(ann, made[0].id)
    again = await opened.lasting_keys.create(ann, "again", "")
    assert again.id in [key.id for key in await opened.lasting_keys.listing(ann)]


@pytest.mark.parametrize("at_once", [False, True])
async def test_a_rotation_that_is_asked_for_again_is_the_same(
    opened: Services, ann: User, at_once: bool
) -> None:
    """Its answer was lost, and the key with it."""
    old = await opened.lasting_keys.create(ann, "obs", "")

    async def rotate(request: str) -> LastingKey:
        return await opened.lasting_keys.rotate(
            ann, old.id, timedelta(seconds=60), at_once=at_once, request=request
        )

    new = await rotate("once")
    assert await rotate("once") == new
    for other in ("another", ""):
        with pytest.raises(Refusal if not at_once else Empty):
            await rotate(other)
    left = [key.id for key in await opened.lasting_keys.listing(ann)]
    assert left == ([new.id] if at_once else [old.id, new.id])


async def test_one_that_is_revoked_by_then_does_not_come_again(
    opened: Services, ann: User
) -> None:
    old = await opened.lasting_keys.create(ann, "obs", "")
    rotate = partial(opened.lasting_keys.rotate, at_once=False, request="once")
    new = await rotate(ann, old.id, timedelta(0))
    await opened.lasting_keys.revoke(ann, new.id)
    with pytest.raises(Refusal):
        await rotate(ann, old.id, timedelta(0))


async def test_one_that_is_spent_does_not_end_another_broadcast(
    opened: Services, ann: User
) -> None:
    """It was let in before it was spent, and its picture comes after that."""
    made = await opened.lasting_keys.create(ann, "", "", Terms(one_shot=True))
    path = made.channel.path
    first, late = (Source("local", path, "rtmpConn", one) for one in ("a", "b"))
    for source in (first, late):
        await grants.add(opened.pool, "local", source.id, path, made.id)
    assert await opened.lifecycle.ready(first) == "started"
    over = await sessions.open_of_user(opened.pool, ann.id)
    assert over is not None
    assert await opened.lifecycle.end(over, "disconnected")
    other = (await opened.broadcasts.start(ann, Start())).session
    assert await opened.lifecycle.ready(late) == "refused"
    assert (await opened.broadcasts.get(other.id)).is_open
