"""Who may watch a channel, from one of its broadcasts to the next: its encoder comes
back by itself."""

import pytest

from control_plane.base.database import Pool
from control_plane.base.refusals import Refusal
from control_plane.live.model.rights import Policy, WatchTerms
from control_plane.live.model.sessions import EndReason, LiveSession
from control_plane.live.service.lifecycle import Source
from control_plane.live.service.rights import DENIED, Whom
from control_plane.people.model.users import User
from control_plane.wiring.services import Services
from tests.live.service.conftest import new_user
from tests.support.money import kinds


@pytest.fixture
async def path(opened: Services, ann: User) -> str:
    key = await opened.lasting_keys.create(ann, "", f"of-{ann.id}")
    return key.channel.path


async def _live(opened: Services, path: str, source_id: str) -> LiveSession:
    await opened.lifecycle.ready(Source("local", path, "rtmpConn", source_id))
    found = await opened.watching.find(path.removeprefix("live/"))
    assert found.session.status == "live"
    return found.session


@pytest.mark.parametrize(("policy", "price"), [("followers", 0), ("paid", 7)])
@pytest.mark.parametrize("reason", ["disconnected", "superseded"])
async def test_it_stays_as_it_was(
    opened: Services,
    pool: Pool,
    ann: User,
    path: str,
    policy: Policy,
    price: int,
    reason: EndReason,
) -> None:
    first = await _live(opened, path, "one")
    terms = WatchTerms(policy, price)
    await opened.rights.set_policy(ann.id, first.id, terms)
    await opened.lifecycle.end(first, reason)
    await pool.execute("UPDATE channels SET closed_until = NULL")
    then = await _live(opened, path, "two")
    assert then.id != first.id
    assert WatchTerms(then.policy, then.ticket_price) == terms
    with pytest.raises(Refusal):
        await opened.watching.admit(str(then.id), None, "")
    assert await kinds(pool, "session", then.id) == ["live.started", "live.policy"]


async def test_so_is_the_next_one_of_a_public_channel(
    opened: Services, pool: Pool, path: str
) -> None:
    await opened.lifecycle.end(await _live(opened, path, "one"), "disconnected")
    then = await _live(opened, path, "two")
    assert then.policy == "default"
    assert await kinds(pool, "session", then.id) == ["live.started"]


async def test_whom_the_host_denied_stays_out_until_a_wanted_end(
    opened: Services, pool: Pool, ann: User, path: str
) -> None:
    bob = await new_user(pool, "bob")
    first = await _live(opened, path, "one")
    await opened.rights.deny(ann.id, first.id, Whom(bob.id))
    await opened.lifecycle.end(first, "disconnected")
    then = await _live(opened, path, "two")
    with pytest.raises(Refusal, match=DENIED):
        await opened.watching.admit(str(then.id), bob, "")
    await opened.lifecycle.end(then, "completed")
    await pool.execute("UPDATE channels SET closed_until = NULL")
    last = await _live(opened, path, "three")
    assert await opened.watching.admit(str(last.id), bob, "")
