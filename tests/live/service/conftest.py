"""The use cases on stores of the test's own, without a listener or a node."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from control_plane.base.database import Pool, open_pool
from control_plane.live.model.keys import NewKey
from control_plane.live.model.sessions import LiveSession
from control_plane.live.model.starts import Start, Wanted
from control_plane.live.store import beats, openings
from control_plane.people.model.users import User
from control_plane.people.store import users
from control_plane.wiring.node_config import configured_node
from control_plane.wiring.services import Services, services
from tests.live.service.one_viewer import OneViewer, running
from tests.support.api import settings
from tests.support.money import new_session


@pytest.fixture
async def opened(database_url: str, redis_url: str) -> AsyncIterator[Services]:
    wanted = settings(database_url, redis_url)
    async with services(wanted) as found:
        await found.nodes.save(configured_node(wanted))
        yield found


@pytest.fixture
def pool(opened: Services) -> Pool:
    return opened.pool


@pytest.fixture
async def owner(owner_url: str) -> AsyncIterator[Pool]:
    """For what only the owner of the tables may do."""
    async with open_pool(owner_url) as found:
        yield found


@pytest.fixture
def well_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known of caches stays so, however long a test takes."""
    monkeypatch.setattr(beats, "KEEP_HEARD", 600)


@pytest.fixture
async def ann(pool: Pool) -> User:
    return await new_user(pool, "ann")


@pytest.fixture
async def node(opened: Services) -> AsyncIterator[OneViewer]:
    async with running(opened, "local") as fake:
        yield fake


@pytest.fixture
async def session_id(pool: Pool, ann: User, node: OneViewer) -> int:
    """Live on it; somebody watches it without a token."""
    session_id = await new_session(pool, ann.id)
    await pool.execute("UPDATE live_streaming_sessions SET node = 'local'")
    node.path = f"live/of-{ann.id}"
    return session_id


@pytest.fixture
async def created(pool: Pool, ann: User) -> LiveSession:
    async with pool.transaction() as connection:
        wanted = {Wanted(ann.id, Start(), NewKey(bytes(32), "", timedelta(0))): "local"}
        opened = await openings.on_own_path(connection, wanted, 0, timedelta(0))
    return opened[ann.id].session


async def new_user(pool: Pool, username: str) -> User:
    await pool.execute("INSERT INTO users (username) VALUES ($1)", username)
    user = await users.by_username(pool, username)
    assert user is not None
    return user
