"""The viewers of an edge that drains: a group at a time, where there is room."""

import time
from dataclasses import replace

import pytest

from control_plane.base.refusals import Unavailable
from control_plane.live.model.edges import KNOWN_AFTER, lot
from control_plane.live.model.nodes import Node
from control_plane.live.store.beats import Beats
from control_plane.wiring.services import Services

pytestmark = pytest.mark.usefixtures("well_heard")

VIEWERS = [f"viewer-{n}" for n in range(6)]


@pytest.fixture
async def drained(opened: Services) -> Node:
    """A cache with six, beside one with room for two and a full origin."""
    local = await opened.nodes.get("local")
    await opened.nodes.save(replace(local, most_readers=1))
    await Beats(opened.redis).listed("local", 1)
    for name in ("going", "other"):
        cache = replace(local, name=name, role="cache", most_readers=2)
        await opened.nodes.save(cache)
    await opened.nodes.set_draining("going", draining=True)
    for viewer in VIEWERS:
        opened.hints.stay("going", viewer)
    await opened.hints.flush()
    return await opened.nodes.get("going")


async def _gone(opened: Services) -> int:
    """What auth has long written again and again stands in Redis."""
    await Beats(opened.redis).hears(["going", "other"], time.time() - KNOWN_AFTER)
    return await _gone_as_known(opened)


async def _gone_as_known(opened: Services) -> int:
    await opened.emptying.turn(every=0, unknown=0)
    going = await opened.nodes.get("going")
    return sum(lot("going", one) < going.let_go for one in VIEWERS)


async def test_no_more_than_the_others_have_room_for(
    opened: Services, drained: Node
) -> None:
    assert await _gone(opened) == 2
    assert await _gone(opened) == 2  # they are on their way: nothing is free
    other = await opened.nodes.get("other")
    await opened.nodes.save(replace(other, most_readers=5))
    assert await _gone(opened) == 5
    await opened.nodes.save(replace(other, most_readers=None))
    assert await _gone(opened) == 6
    assert (await opened.nodes.get("going")).let_go == 1.0
    assert await opened.sources.leaving() == {"going": 1.0}


async def test_only_when_all_who_play_there_are_known(
    opened: Services, drained: Node
) -> None:
    await opened.emptying.turn()
    assert (await opened.nodes.get("going")).let_go == 0


async def test_it_takes_viewers_again(opened: Services, drained: Node) -> None:
    assert await _gone(opened) == 2
    await opened.nodes.set_draining("going", draining=False)
    assert await _gone(opened) == 0


async def test_nobody_goes_whom_an_emptied_redis_only_seems_to_lack(
    opened: Services, drained: Node
) -> None:
    assert await _gone(opened) == 2
    assert await opened.emptying.left("going") == 0
    await opened.redis.flushdb()
    opened.hints.know_caches({"going", "other"})
    opened.hints.stay("going", VIEWERS[0])
    await opened.hints.flush()
    assert await _gone_as_known(opened) == 2
    with pytest.raises(Unavailable):
        await opened.emptying.left("going")
    await opened.pool.execute("UPDATE nodes SET lost = true WHERE name = 'going'")
    assert await opened.emptying.left("going") == 0
