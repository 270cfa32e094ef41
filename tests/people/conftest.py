"""The use cases about people on a database of the test's own."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from control_plane.base.database import Pool, open_pool
from control_plane.people.model.users import NewUser, User
from control_plane.people.service.accounts import Accounts, Identity
from control_plane.people.service.profiles import Profiles
from control_plane.people.service.social import Social

Join = Callable[..., Awaitable[User]]


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with open_pool(database_url) as opened:
        yield opened


@pytest.fixture
async def owner(owner_url: str) -> AsyncIterator[Pool]:
    """As the role that owns the tables."""
    async with open_pool(owner_url) as opened:
        yield opened


@pytest.fixture
def accounts(pool: Pool) -> Accounts:
    return Accounts(pool, (b"k" * 32,), token_days=90, accept_provider_uid=True)


@pytest.fixture
def profiles(pool: Pool) -> Profiles:
    return Profiles(pool)


@pytest.fixture
def social(pool: Pool) -> Social:
    return Social(pool)


@pytest.fixture
def join(accounts: Accounts) -> Join:
    """Makes an account."""

    async def make(username: str, **more: str) -> User:
        identity = Identity("google", username, verified=True)
        new = NewUser(username=username, **more)
        return (await accounts.sign_in([identity], new)).user

    return make


async def user_events(pool: Pool, user_id: int) -> list[str]:
    """What has happened to this user, in order."""
    rows = await pool.fetch(
        "SELECT type FROM events WHERE subject = 'user' AND subject_id = $1"
        " ORDER BY seq",
        user_id,
    )
    return [row["type"] for row in rows]
