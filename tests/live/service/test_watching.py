"""Watching is served beside going live, and takes nothing from it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from control_plane.base.database import Pool
from control_plane.live.model.sessions import LiveSession
from control_plane.live.model.starts import Start
from control_plane.people.model.users import User
from control_plane.wiring.node_config import configured_node
from control_plane.wiring.services import Services, services
from tests.live.service.conftest import new_user
from tests.support.api import settings


@pytest.fixture
async def opened(database_url: str, redis_url: str) -> AsyncIterator[Services]:
    wanted = settings(database_url, redis_url, watching_at_once=1)
    async with services(wanted) as found:
        await found.nodes.save(configured_node(wanted))
        yield found


@pytest.fixture
async def live(opened: Services, ann: User) -> LiveSession:
    return (await opened.broadcasts.start(ann, Start())).session


@contextlib.asynccontextmanager
async def _no_reserved_connection(opened: Services) -> AsyncIterator[None]:
    async with contextlib.AsyncExitStack() as stack, asyncio.timeout(60.0):
        for _ in range(opened.reserved.use.most):
            await stack.enter_async_context(opened.reserved.acquire())
        yield


async def test_viewers_come_without_a_reserved_connection(
    opened: Services, pool: Pool, live: LiveSession
) -> None:
    bob = await new_user(pool, "bob")
    async with _no_reserved_connection(opened):
        for caller in (None, bob):
            assert await opened.watching.admit(live.name, caller, "")


async def test_pages_are_shown_without_one(opened: Services) -> None:
    async with _no_reserved_connection(opened):
        assert len(await opened.watching.hls_urls("host")) == 1


async def test_who_makes_room_for_another_takes_none(
    opened: Services, pool: Pool, live: LiveSession
) -> None:
    bob = await new_user(pool, "bob")
    await opened.watching.admit(live.name, bob, "")
    async with _no_reserved_connection(opened):
        await opened.watching.admit(live.name, bob, "")
