"""A channel whose key is used on two nodes at once."""

import asyncio
from dataclasses import replace

import pytest

from control_plane.base.refusals import Refusal
from control_plane.live.service.lifecycle import Source
from control_plane.live.store import grants, nodes
from control_plane.people.model.users import User
from control_plane.wiring.services import Services
from tests.support.locks import held_up
from tests.support.nodes import NEWEST


async def test_of_two_that_are_closed_at_once_one_stays(opened: Services) -> None:
    await opened.nodes.save(replace(await opened.nodes.get("local"), name="other"))
    async with opened.pool.transaction() as first:
        await nodes.lock_places(first)
        await nodes.set_draining(first, "other", True, True)
        second = asyncio.create_task(
            opened.nodes.set_draining("local", draining=True, closed=True)
        )
        await held_up(opened.pool, second)
    with pytest.raises(Refusal, match="No other media server"):
        await second


async def test_the_last_encoder_wins_and_the_other_has_to_go(
    opened: Services, ann: User
) -> None:
    """Each node goes on listing its own; the broadcast does not jump between them."""
    await opened.nodes.save(replace(await opened.nodes.get("local"), name="other"))
    key = await opened.lasting_keys.create(ann, "obs", "")
    path = key.channel.path
    first = Source("local", path, "rtmpConn", "first")
    last = Source("other", path, "rtmpConn", "last")
    for source in (first, last):
        await grants.add(opened.pool, source.node, source.id, path, key.id)
    told = [
        await opened.lifecycle.ready(source, listed_at=NEWEST)
        for source in (first, last, first, last)
    ]
    assert told == ["started", "replaced", "refused", "nothing"]


async def test_one_whose_permission_nobody_remembers_is_not_cut(
    opened: Services, ann: User
) -> None:
    await opened.nodes.save(replace(await opened.nodes.get("local"), name="other"))
    key = await opened.lasting_keys.create(ann, "obs", "")
    path = key.channel.path
    first = Source("local", path, "rtmpConn", "first")
    await grants.add(opened.pool, first.node, first.id, path, key.id)
    assert await opened.lifecycle.ready(first, listed_at=NEWEST) == "started"
    unknown = Source("other", path, "rtmpConn", "unknown")
    assert await opened.lifecycle.ready(unknown, listed_at=NEWEST) == "replaced"
