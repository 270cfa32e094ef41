"""Cutting viewers on nodes that say nothing when they are asked, or are slow."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from datetime import timedelta

import pytest

from control_plane.base.database import Pool
from control_plane.live.model.bans import Banned
from control_plane.live.model.rights import Seen, WatchTerms
from control_plane.live.model.starts import Start
from control_plane.live.service.rights import Whom
from control_plane.live.store import owed_cuts
from control_plane.people.model.users import User
from control_plane.wiring.services import Services
from tests.live.service.one_viewer import ADDRESS, OneViewer, running
from tests.support.closed import closed
from tests.support.stack import until

AT_ONCE = timedelta(0)
Act = Callable[[Services, int], Coroutine[None, None, None]]


async def test_it_is_asked_again_for_a_while(opened: Services, node: OneViewer) -> None:
    node.silent = 5
    owed = await owed_cuts.owe(opened.pool, "local")
    await opened.cutter.cut_viewers(owed, lambda _: True)
    assert node.kicked == ["one"]


async def test_a_ban_is_brought_to_it_later(opened: Services, node: OneViewer) -> None:
    node.silent = 1000
    await opened.moderation.ban(Banned(network=ADDRESS), "spam")
    assert node.kicked == []
    node.silent = 0
    await opened.owed_cuts.turn(AT_ONCE)
    assert node.kicked == ["one"]


async def test_so_is_a_right_that_ended(
    opened: Services, node: OneViewer, session_id: int
) -> None:
    node.silent = 1000
    await opened.rights.set_policy(0, session_id, WatchTerms("token"))
    await opened.owed_cuts.turn(AT_ONCE)
    assert node.kicked == []
    node.silent = 0
    await opened.owed_cuts.turn(AT_ONCE)
    assert node.kicked == ["one"]


async def test_so_is_a_ban_of_before_it_was_found_again(
    opened: Services, node: OneViewer, pool: Pool
) -> None:
    await pool.execute("UPDATE nodes SET lost = true, silent_since = now()")
    await opened.moderation.ban(Banned(network=ADDRESS), "spam")
    await opened.owed_cuts.turn(AT_ONCE)
    assert node.kicked == []
    await pool.execute("UPDATE nodes SET lost = false, silent_since = NULL")
    await opened.owed_cuts.turn(AT_ONCE)
    assert node.kicked == ["one"]


async def test_a_lost_edge_holds_nobody_up_and_owes_it(
    opened: Services, node: OneViewer, session_id: int, pool: Pool
) -> None:
    async with running(opened, "e1", "edge") as edge:
        edge.path = f"local/{node.path}"
        await pool.execute(
            "UPDATE nodes SET lost = true, silent_since = now() WHERE name = 'e1'"
        )
        await opened.rights.set_policy(0, session_id, WatchTerms("token"))
        assert not edge.asked.is_set()
        await pool.execute("UPDATE nodes SET lost = false, silent_since = NULL")
        await opened.owed_cuts.turn(AT_ONCE)
        assert edge.kicked == node.kicked == ["one"]


async def test_what_a_lost_node_owes_becomes_no_more(
    opened: Services, node: OneViewer, session_id: int, pool: Pool
) -> None:
    """It may be gone for good."""
    async with running(opened, "gone", "edge"), running(opened, "old"):
        await pool.execute(
            "UPDATE nodes SET lost = true, silent_since = now() WHERE name <> 'local'"
        )
        for number in range(3):
            await opened.rights.deny(0, session_id, Whom(viewer=f"{number}"))
            await opened.moderation.ban(Banned(network=f"192.0.2.{number}"), "spam")
    rows = await pool.fetch("SELECT node FROM owed_cuts ORDER BY node")
    owed = [row["node"] for row in rows]
    assert (owed.count("gone"), owed.count("old")) == (1, 1)


async def test_a_node_found_again_meanwhile_owes_it_too(
    node: OneViewer, pool: Pool
) -> None:
    """What it owed before was judged without this denial."""
    await pool.execute("UPDATE nodes SET lost = true, silent_since = now()")
    await owed_cuts.owe(pool, "local")
    async with pool.transaction() as denying:
        await owed_cuts.owe(denying, "local")
        await pool.execute("UPDATE nodes SET lost = false, silent_since = NULL")
        before = (await owed_cuts.due(pool, AT_ONCE))["local"]
        cutting = asyncio.create_task(owed_cuts.done(pool, before))
        await asyncio.wait([cutting], timeout=0)
    await cutting
    assert [*await owed_cuts.due(pool, AT_ONCE)] == ["local"]


async def test_a_node_that_answered_owes_nothing(
    opened: Services, node: OneViewer, pool: Pool
) -> None:
    await opened.moderation.ban(Banned(network=ADDRESS), "spam")
    assert node.kicked == ["one"]
    assert await owed_cuts.due(pool, AT_ONCE) == {}


async def test_a_cut_takes_nothing_from_another_that_is_under_way(
    opened: Services, node: OneViewer, pool: Pool
) -> None:
    others = await owed_cuts.owe(pool, "local")
    owed = await owed_cuts.owe(pool, "local")
    await opened.cutter.cut_viewers(owed, lambda _: False)
    assert await owed_cuts.due(pool, AT_ONCE) == {"local": [*others.values()]}


async def _policy(opened: Services, session_id: int) -> None:
    await opened.rights.set_policy(0, session_id, WatchTerms("token"))


async def _deny(opened: Services, session_id: int) -> None:
    await opened.rights.deny(0, session_id, Whom(viewer="somebody"))


async def _look(opened: Services, session_id: int) -> None:
    viewer, version = "of another time", -1
    user_id = (await opened.broadcasts.get(session_id)).user_id
    await opened.rights.look_again([Seen(session_id, viewer, user_id, version)])


async def _ban(opened: Services, _: int) -> None:
    await opened.moderation.ban(Banned(network=ADDRESS), "spam")


SAID = "SELECT count(*) FROM events WHERE type IN ('viewer.denied', 'live.policy', $1)"


@pytest.mark.parametrize("act", [_policy, _deny, _look, _ban])
async def test_it_is_owed_by_who_dies_right_after_the_denial(
    opened: Services, node: OneViewer, session_id: int, pool: Pool, act: Act
) -> None:
    if act is not _policy:
        await pool.execute("UPDATE live_streaming_sessions SET policy = 'token'")
    node.waits_for = asyncio.Event()
    async with pool.transaction() as other:
        await other.execute("LOCK TABLE nodes IN SHARE ROW EXCLUSIVE MODE")
        acting = asyncio.create_task(act(opened, session_id))
        await until(lambda: pool.fetchval(SAID, "ban.made"))
        acting.cancel()
        await asyncio.wait([acting])
    node.waits_for.set()
    await opened.owed_cuts.turn(AT_ONCE)
    assert node.kicked == ["one"]


async def test_so_is_a_policy_that_comes_with_another_start(
    opened: Services, node: OneViewer, session_id: int, ann: User
) -> None:
    await opened.broadcasts.start(ann, Start(watch=WatchTerms("token")))
    await opened.owed_cuts.turn(AT_ONCE)
    assert node.kicked == ["one"]


async def test_nodes_are_cut_at_the_same_time(
    opened: Services, node: OneViewer
) -> None:
    async with running(opened, "other") as other:
        node.waits_for, other.waits_for = other.asked, node.asked
        await opened.moderation.ban(Banned(network=ADDRESS), "spam")
    assert (node.kicked, other.kicked) == (["one"], ["one"])


async def test_whose_right_ends_waits_for_no_node(
    opened: Services, node: OneViewer, session_id: int
) -> None:
    node.waits_for = asyncio.Event()
    await opened.rights.end(session_id, Whom(viewer="somebody"), "too_many")
    assert not node.kicked
    node.waits_for.set()
    await opened.cutter.finish()
    assert node.asked.is_set()


async def test_postgres_may_be_away_when_it_is_done(
    opened: Services,
    node: OneViewer,
    session_id: int,
    owner: Pool,
    database_url: str,
) -> None:
    failed: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: failed.append(context))
    node.waits_for, before = asyncio.Event(), asyncio.all_tasks()
    await opened.rights.end(session_id, Whom(viewer="somebody"), "too_many")
    begun = asyncio.all_tasks() - before
    async with closed(owner, database_url):
        node.waits_for.set()
        await asyncio.wait(begun)
    begun.clear()
    gc.collect()  # a task whose error nobody has looked at says so
    assert failed == []
    assert [*await owed_cuts.due(owner, AT_ONCE)] == ["local"]
