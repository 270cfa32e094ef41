"""A decision waits for Postgres once, however much it has to call."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from control_plane.base.database import Connection, Pool, open_pool
from control_plane.live.model.auth_call import AuthCall
from control_plane.live.model.starts import Start
from control_plane.live.service.authorize import Authorizer
from control_plane.live.service.grants import Grants
from control_plane.live.service.permissions import Permissions
from control_plane.live.store import keys
from control_plane.people.model.users import User
from control_plane.wiring.services import Services
from tests.support.locks import WAITING
from tests.support.stack import until

LIMIT = 1.0  # seconds
LOCK = "LOCK TABLE stream_keys"


@pytest.fixture
async def authorizer(
    opened: Services, owner: Pool, database_url: str
) -> AsyncIterator[Authorizer]:
    """It has heard of nothing that was created since it began."""
    await owner.execute("DROP TRIGGER key_notice ON stream_keys")
    await owner.execute("DROP TRIGGER session_notice_insert ON live_streaming_sessions")
    async with contextlib.AsyncExitStack() as stack:
        # One connection, whose statements are prepared: each takes its lock once.
        pool = await stack.enter_async_context(open_pool(database_url, 1))
        await keys.permissions(pool, [])
        permissions = Permissions(pool, database_url)
        await stack.enter_async_context(permissions.running())
        await until(lambda: _is(permissions))
        yield Authorizer(
            opened.secrets,
            permissions,
            opened.hints,
            Grants(opened.pool),
            tokens_required=False,
            limit=LIMIT,
        )


async def _is(permissions: Permissions) -> bool:
    return permissions.fresh


async def _waiting(pool: Pool, count: int) -> None:
    async def look() -> bool:
        return bool(await pool.fetchval(WAITING) == count)

    await until(look, pause=0.01)


async def test_a_slow_first_look_leaves_less_time_for_the_second(
    opened: Services, authorizer: Authorizer, ann: User
) -> None:
    """The first look-up comes back after half of the limit and does not know the key;
    the second one never comes back."""
    started = await opened.broadcasts.start(ann, Start())
    call = AuthCall("publish", started.session.path, query="key=another")
    async with opened.pool.acquire() as first, opened.pool.acquire() as second:
        async with first.transaction():
            await first.execute(LOCK)
            too_late = asyncio.create_task(asyncio.sleep(LIMIT * 1.25))
            half = asyncio.create_task(asyncio.sleep(LIMIT / 2))
            decision = asyncio.create_task(authorizer.decide("local", call))
            await _waiting(opened.pool, 1)
            locked = asyncio.create_task(_lock_until(second, too_late))
            await _waiting(opened.pool, 2)
            await half
        await asyncio.wait([decision, too_late], return_when="FIRST_COMPLETED")
        # After a pause of everything both are due, in any order.
        await asyncio.wait([decision], timeout=LIMIT / 8)
        assert decision.done()
        assert (await decision).reason == "not_known_now"
        await locked


async def _lock_until(connection: Connection, end: "asyncio.Task[None]") -> None:
    async with connection.transaction():
        await connection.execute(LOCK)
        await end
