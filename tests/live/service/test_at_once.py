"""How many players of one account may play at once, over all nodes."""

import contextlib
from collections.abc import AsyncIterator

import pytest

from control_plane.base.database import Pool
from control_plane.base.refusals import Refusal
from control_plane.base.tokens import read_viewer
from control_plane.live.model.permissions import may_read
from control_plane.live.model.sessions import LiveSession
from control_plane.live.model.starts import Start
from control_plane.live.store import keys
from control_plane.live.store.viewers import ViewerSets
from control_plane.people.model.users import User
from control_plane.wiring.node_config import configured_node
from control_plane.wiring.services import Services, services
from tests.live.service.conftest import new_user
from tests.live.service.one_viewer import OneViewer
from tests.support.api import settings

LIMIT = 2
FEW = 50  # rows


@pytest.fixture
async def opened(database_url: str, redis_url: str) -> AsyncIterator[Services]:
    wanted = settings(database_url, redis_url, watching_at_once=LIMIT)
    async with services(wanted) as found:
        await found.nodes.save(configured_node(wanted))
        yield found


@pytest.fixture
async def live(opened: Services, ann: User) -> LiveSession:
    return (await opened.broadcasts.start(ann, Start())).session


async def _watch(opened: Services, live: LiveSession, who: User, old: str = "") -> str:
    """The token."""
    return (await opened.watching.admit(live.name, who, old)).token


async def _denied(pool: Pool) -> int:
    return int(await pool.fetchval("SELECT count(*) FROM viewer_denials"))


async def _time_passes(pool: Pool) -> None:
    """Nobody is just about to begin any more."""
    await pool.execute(
        "UPDATE viewings SET since = since - interval '1 minute',"
        " cut_at = cut_at - interval '1 minute'"
    )


async def _plays(opened: Services, live: LiveSession, pool: Pool, nth: int) -> None:
    """The node lists this one, the oldest being the first."""
    viewer = await pool.fetchval(
        "SELECT viewer FROM viewings ORDER BY since OFFSET $1 LIMIT 1", nth
    )
    sets = ViewerSets(opened.redis)
    await sets.change(live.node, {live.id: ([viewer], [])})


async def test_who_does_not_play_needs_no_room(
    opened: Services, live: LiveSession, pool: Pool
) -> None:
    bob = await new_user(pool, "bob")
    for _ in range(5):
        await _watch(opened, live, bob)
        await _time_passes(pool)
    assert await _denied(pool) == 0


async def test_the_oldest_that_plays_makes_room(
    opened: Services, live: LiveSession, pool: Pool
) -> None:
    bob = await new_user(pool, "bob")
    for _ in range(3):
        await _watch(opened, live, bob)
        await _time_passes(pool)
    await _plays(opened, live, pool, 0)
    await _plays(opened, live, pool, 2)
    await _watch(opened, live, bob)
    [row] = await pool.fetch("SELECT viewer FROM viewer_denials")
    oldest = await pool.fetchval("SELECT viewer FROM viewings ORDER BY since LIMIT 1")
    assert row["viewer"] == oldest


async def test_one_that_goes_on_after_a_pause_is_seen(
    opened: Services, live: LiveSession, pool: Pool
) -> None:
    bob = await new_user(pool, "bob")
    for _ in range(3):
        await _watch(opened, live, bob)
        await _time_passes(pool)
    for nth in range(3):
        await _plays(opened, live, pool, nth)
    await opened.at_once.look_again({bob.id})
    assert await _denied(pool) == 1


async def test_the_same_player_again_is_no_other(
    opened: Services, live: LiveSession, pool: Pool
) -> None:
    bob = await new_user(pool, "bob")
    token = await _watch(opened, live, bob)
    await _watch(opened, live, bob)
    for _ in range(3):
        token = await _watch(opened, live, bob, token)
    assert await _denied(pool) == 0


async def test_one_that_made_room_takes_it_back_when_there_is_some(
    opened: Services, live: LiveSession, pool: Pool
) -> None:
    bob = await new_user(pool, "bob")
    first = await _watch(opened, live, bob)
    for _ in range(LIMIT):
        await _watch(opened, live, bob)
    with pytest.raises(Refusal, match="another device"):
        await _watch(opened, live, bob, first)
    await _time_passes(pool)
    assert await _watch(opened, live, bob, first)


async def test_others_and_guests_are_not_counted(
    opened: Services, live: LiveSession, pool: Pool
) -> None:
    for name in ("bob", "carl", "dora"):
        await _watch(opened, live, await new_user(pool, name))
        await opened.watching.admit(live.name, None, "")
    assert await _denied(pool) == 0


async def test_an_account_that_asks_all_the_time_leaves_little_behind(
    opened: Services, live: LiveSession, pool: Pool
) -> None:
    bob = await new_user(pool, "bob")
    tokens: list[str] = []
    for _ in range(4):
        before = len(tokens)
        tokens += await _asks(opened, live, bob, times=50)
        assert len(tokens) > before
        assert await _denied(pool) <= FEW
        assert await pool.fetchval("SELECT count(*) FROM viewings") <= FEW
        good = [one for one in tokens if await _may_watch(opened, live, one)]
        assert good == tokens[-LIMIT:]
        await _time_passes(pool)


async def _asks(
    opened: Services, live: LiveSession, who: User, times: int
) -> list[str]:
    """Without a pause. What it was given."""
    tokens = []
    for _ in range(times):
        with contextlib.suppress(Refusal):
            tokens.append(await _watch(opened, live, who))
    return tokens


async def _may_watch(opened: Services, live: LiveSession, text: str) -> bool:
    known = (await keys.permissions(opened.pool, [live.path]))[live.path]
    token = read_viewer(opened.secrets.viewer_tokens(), text, None)
    return may_read(known, token, tokens_by_default=False) == "ok"


async def test_a_player_that_goes_on_may_when_its_account_asks_all_the_time(
    opened: Services, live: LiveSession, pool: Pool
) -> None:
    bob = await new_user(pool, "bob")
    *_, newest = await _asks(opened, live, bob, times=50)
    with pytest.raises(Refusal, match="too often"):
        await _watch(opened, live, bob)
    assert await _watch(opened, live, bob, newest)


async def test_no_node_is_asked_for_whom_none_has_let_in(
    opened: Services, node: OneViewer, session_id: int, pool: Pool
) -> None:
    bob = await new_user(pool, "bob")
    for _ in range(LIMIT + 1):
        await opened.watching.admit(str(session_id), bob, "")
    await opened.cutter.finish()
    assert await _denied(pool) == 1
    assert node.lists == []
    session = await opened.broadcasts.get(session_id)
    await _plays(opened, session, pool, 1)
    await opened.watching.admit(str(session_id), bob, "")
    await opened.cutter.finish()
    assert node.lists != []
