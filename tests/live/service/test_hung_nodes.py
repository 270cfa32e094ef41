"""Nodes that take connections and say nothing: whoever waits for a cut waits for one
question at most. What is not done by then is done by rounds and by owed cuts."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import timedelta

import pytest

from control_plane.live.model.bans import Banned
from control_plane.live.model.rights import WatchTerms
from control_plane.live.service.lifecycle import Source
from control_plane.live.store import owed_cuts
from control_plane.people.model.users import User
from control_plane.wiring.services import Services
from tests.live.service.one_viewer import ADDRESS, OneViewer, running
from tests.support.nodes import NEWEST

AT_ONCE = timedelta(0)
Act = Callable[[Services, int], Coroutine[None, None, object]]


@pytest.fixture
async def hung(node: OneViewer) -> AsyncIterator[OneViewer]:
    node.waits_for = asyncio.Event()
    yield node
    node.waits_for.set()


async def _end(opened: Services, session_id: int) -> bool:
    session = await opened.broadcasts.get(session_id)
    return await opened.broadcasts.end(session, "completed")


async def _ban_address(opened: Services, _: int) -> None:
    await opened.moderation.ban(Banned(network=ADDRESS), "spam")


async def _policy(opened: Services, session_id: int) -> None:
    await opened.rights.set_policy(0, session_id, WatchTerms("token"))


async def _owed(opened: Services, _: int) -> None:
    await owed_cuts.owe(opened.pool, "local")
    await opened.owed_cuts.turn(AT_ONCE)


@pytest.mark.parametrize("act", [_end, _ban_address, _policy, _owed])
async def test_one_is_asked_once(
    opened: Services, hung: OneViewer, session_id: int, act: Act
) -> None:
    assert not await act(opened, session_id)
    assert len(hung.lists) == 1


async def test_one_that_fails_before_it_hangs_is_waited_for_no_longer(
    opened: Services, node: OneViewer, session_id: int
) -> None:
    node.silent = 1
    ending = asyncio.create_task(_end(opened, session_id))
    await node.asked.wait()
    node.waits_for = asyncio.Event()
    assert not await ending
    node.waits_for.set()


async def test_a_revoked_key_waits_no_longer(
    opened: Services, hung: OneViewer, ann: User
) -> None:
    made = await opened.lasting_keys.create(ann, "", "")
    source = Source("local", made.channel.path, "rtmpConn", "one")
    assert await opened.lifecycle.ready(source, listed_at=NEWEST) == "started"
    await opened.lasting_keys.revoke(ann, made.id)
    assert len(hung.lists) == 1


async def test_what_was_not_cut_there_is_owed(
    opened: Services, hung: OneViewer, session_id: int
) -> None:
    async with running(opened, "e1", "edge") as edge:
        edge.path = f"local/{hung.path}"
        await opened.rights.set_policy(0, session_id, WatchTerms("token"))
        assert edge.kicked == ["one"]
    assert [*await owed_cuts.due(opened.pool, AT_ONCE)] == ["local"]


async def test_one_that_answers_waits_for_no_other_when_somebody_is_banned(
    opened: Services, hung: OneViewer
) -> None:
    async with running(opened, "other") as other:
        await opened.moderation.ban(Banned(network=ADDRESS), "spam")
    assert other.kicked == ["one"]
    assert len(hung.lists) == 1
