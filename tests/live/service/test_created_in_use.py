"""Where video goes another way a session never gets a picture: it stays as long as it
is used, and expires like others when it is not."""

from collections.abc import AsyncIterator

import pytest

from control_plane.base.database import Pool
from control_plane.coins.model.gifts import GiftOrder
from control_plane.config.settings import Settings
from control_plane.live.model.sessions import LiveSession
from control_plane.live.model.starts import Start
from control_plane.people.model.users import User
from control_plane.wiring.node_config import configured_node
from control_plane.wiring.services import Services, services
from tests.live.service.conftest import new_user
from tests.live.service.publishing import one_round
from tests.support.api import looking_once, running, settings
from tests.support.money import ROSE
from tests.support.money import new_user as new_giver


@pytest.fixture
def created_sessions() -> bool:
    return True


@pytest.fixture
def wanted(database_url: str, redis_url: str, created_sessions: bool) -> Settings:
    return settings(
        database_url,
        redis_url,
        gift_created_sessions=created_sessions,
        first_publish_seconds=3600,
    )


@pytest.fixture
async def opened(wanted: Settings) -> AsyncIterator[Services]:
    async with services(wanted) as found:
        await found.nodes.save(configured_node(wanted))
        yield found


@pytest.fixture
async def session(opened: Services, ann: User) -> LiveSession:
    return (await opened.broadcasts.start(ann, Start())).session


async def _hours_pass(owner: Pool, hours: int) -> None:
    await owner.execute(
        "UPDATE live_streaming_sessions SET"
        " expires_at = expires_at - make_interval(hours => $1)",
        hours,
    )
    await owner.execute(
        "UPDATE events SET created_at = created_at - make_interval(hours => $1)", hours
    )


async def _status(opened: Services, session: LiveSession) -> str:
    """After a round; nobody listens where the node should be."""
    await one_round(opened)
    return (await opened.broadcasts.get(session.id)).status


async def _gift(opened: Services, session: LiveSession) -> None:
    fan = await new_giver(opened.pool, 100)
    await opened.coins.gifts.send(GiftOrder(fan, ROSE, 1, session_id=session.id))


async def test_gifts_keep_it(
    opened: Services, owner: Pool, session: LiveSession
) -> None:
    await _hours_pass(owner, 2)
    await _gift(opened, session)
    assert await _status(opened, session) == "created"
    await _gift(opened, session)
    await _hours_pass(owner, 2)
    assert await _status(opened, session) == "expired"


async def test_its_host_keeps_it_and_nobody_else_does(
    opened: Services, owner: Pool, session: LiveSession, ann: User
) -> None:
    await _hours_pass(owner, 2)
    await opened.broadcasts.asked_for(session, ann)
    assert await _status(opened, session) == "created"
    await _hours_pass(owner, 2)
    bob = await new_user(opened.pool, "bob")
    for somebody in (bob, None):
        await opened.broadcasts.asked_for(session, somebody)
    assert await _status(opened, session) == "expired"


async def test_a_host_who_looks_at_it_in_the_app(wanted: Settings, owner: Pool) -> None:
    async with running(looking_once(wanted)) as app, services(wanted) as opened:
        ann, bob = await app.sign_in("ann"), await app.sign_in("bob")
        live = (await ann.ask("liveStream", {}))["LiveStreaming"]
        before = (await opened.broadcasts.get(int(live["id"]))).expires_at
        assert before is not None
        await _hours_pass(owner, 2)
        await bob.ask("showLiveStream", {"id": live["id"]})
        after = (await opened.broadcasts.get(int(live["id"]))).expires_at
        assert after is not None
        assert after < before
        await ann.ask("showLiveStream", {"id": live["id"]})
        after = (await opened.broadcasts.get(int(live["id"]))).expires_at
        assert after is not None
        assert after >= before


class TestVideoComesHere:
    @pytest.fixture
    def created_sessions(self) -> bool:
        return False

    async def test_only_a_picture_keeps_it(
        self, opened: Services, owner: Pool, session: LiveSession, ann: User
    ) -> None:
        await _hours_pass(owner, 2)
        await opened.broadcasts.asked_for(session, ann)
        assert await _status(opened, session) == "expired"
