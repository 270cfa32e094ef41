"""Who sees the picture of a session."""

import pytest

from control_plane.base.database import Pool
from control_plane.live.model.bans import Banned
from control_plane.live.model.rights import Policy, WatchTerms
from control_plane.live.model.sessions import LiveSession
from control_plane.live.model.starts import Start
from control_plane.live.service import previews
from control_plane.live.service.lifecycle import Source
from control_plane.live.service.rights import Whom, take_back
from control_plane.live.store.previews import PreviewStore
from control_plane.people.model.users import User
from control_plane.wiring.services import Services
from tests.support.nodes import NEWEST

JPEG = b"\xff\xd8\xff a picture \x00\xfe"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is served from memory, which is 5 s late."""
    monkeypatch.setattr(previews, "KEPT", 0.0)


async def pictured(
    opened: Services, user: User, policy: Policy | None = None
) -> LiveSession:
    session = (
        await opened.broadcasts.start(user, Start(watch=policy and WatchTerms(policy)))
    ).session
    source = Source("local", session.path, "rtmpConn", "source")
    await opened.lifecycle.ready(source, listed_at=NEWEST)
    await PreviewStore(opened.redis).put(session.id, JPEG)
    return session


async def seen(opened: Services, session: LiveSession, token: str = "") -> bytes | None:
    found = await opened.previews.get(session.id, token)
    return None if found is None else found.jpeg


async def shown(opened: Services, session: LiveSession) -> bool:
    return (await opened.watching.find(str(session.id))).pictured


async def token_of(opened: Services, session: LiveSession, user: User) -> str:
    return (await opened.watching.admit(str(session.id), user, "")).token


async def test_everybody_sees_a_public_one_also_when_it_is_over(
    opened: Services, ann: User
) -> None:
    session = await pictured(opened, ann)
    assert await seen(opened, session) == JPEG
    assert await shown(opened, session)
    await opened.broadcasts.end(session, "completed")
    assert await seen(opened, session) == JPEG
    assert await shown(opened, session)


async def test_there_may_be_none(opened: Services, ann: User) -> None:
    session = await pictured(opened, ann)
    await opened.redis.flushdb()
    assert await seen(opened, session) is None
    assert not await shown(opened, session)
    assert await opened.previews.get(999, "") is None


@pytest.mark.parametrize("policy", ["token", "followers"])
async def test_others_need_a_token_of_this_very_session(
    opened: Services, ann: User, policy: Policy
) -> None:
    session = await pictured(opened, ann, policy)
    token = await token_of(opened, session, ann)
    assert await seen(opened, session, token) == JPEG
    assert await seen(opened, session) is None
    assert await seen(opened, session, token[:-1]) is None
    assert not await shown(opened, session)
    await opened.rights.deny(ann.id, session.id, Whom())
    assert await seen(opened, session, token) is None


async def test_whoever_was_denied_does_not_see_it(opened: Services, ann: User) -> None:
    session = await pictured(opened, ann, "token")
    admission = await opened.watching.admit(str(session.id), None, "")
    assert await seen(opened, session, admission.token) == JPEG
    await opened.rights.deny(ann.id, session.id, Whom(viewer=admission.viewer))
    assert await seen(opened, session, admission.token) is None


async def test_whoever_has_a_right_again_sees_it_again(
    opened: Services, ann: User, pool: Pool
) -> None:
    session = await pictured(opened, ann, "token")
    old = await token_of(opened, session, ann)
    async with pool.transaction() as connection:
        await take_back(connection, session.id, Whom(user_id=ann.id), "signed_out")
    assert await seen(opened, session, old) is None
    assert await seen(opened, session, await token_of(opened, session, ann)) == JPEG


async def test_it_is_hidden_as_soon_as_the_policy_is_another(
    opened: Services, ann: User
) -> None:
    session = await pictured(opened, ann)
    await opened.rights.set_policy(ann.id, session.id, WatchTerms("followers"))
    assert await seen(opened, session) is None
    assert not await shown(opened, session)


async def test_nobody_sees_what_a_banned_host_showed(
    opened: Services, ann: User
) -> None:
    session = await pictured(opened, ann)
    await opened.moderation.ban(Banned(ann.id), "spam")
    assert await seen(opened, session) is None
    assert not await shown(opened, session)


async def test_nobody_sees_what_a_deleted_account_showed(
    opened: Services, pool: Pool, ann: User
) -> None:
    session = await pictured(opened, ann)
    await opened.broadcasts.end(session, "completed")
    await pool.execute("UPDATE users SET deleted_at = now() WHERE id = $1", ann.id)
    assert await seen(opened, session) is None
