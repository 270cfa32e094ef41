"""A channel and its keys."""

import asyncio

from control_plane.base.refusals import Refusal
from control_plane.live.model.keys import MOST_OF_CHANNEL
from control_plane.live.service.lasting_keys import LastingKey
from control_plane.live.store import keys
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
