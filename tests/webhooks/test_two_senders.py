"""A sender that stood still for longer than its lease, while another one went on."""

import asyncio

import pytest
from aiohttp import web

from control_plane.base.database import Pool
from control_plane.config.settings import Settings
from control_plane.webhooks.model.endpoints import Wish
from control_plane.webhooks.service import delivery, pump
from control_plane.wiring.services import services
from tests.support.api import APART_FROM_NODES, running
from tests.support.log import bonus, new_user
from tests.support.receiver import Json, Receiver

TROUBLE = """
    SELECT (SELECT count(*) FROM webhook_parked)
        + (SELECT count(*) FROM webhook_endpoints WHERE failing_since IS NOT NULL)
"""


class Late:
    """Answers 500 to the first request, once it is told to. ``noted``: what stands in
    the tables about that when the next one comes."""

    def __init__(self, pool: Pool) -> None:
        self.asked, self.answer = asyncio.Event(), asyncio.Event()
        self._pool = pool
        self.noted = 0

    async def __call__(
        self, _request: web.Request, _event: Json
    ) -> web.StreamResponse | None:
        if self.asked.is_set():
            self.noted += await self._pool.fetchval(TROUBLE)
            return None
        self.asked.set()
        await self.answer.wait()
        return web.Response(status=500)


async def test_what_fails_with_it_then_says_nothing(
    wanted: Settings,
    pool: Pool,
    hook: Receiver,
    quick: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other one may have delivered it, and would not know what waits."""
    monkeypatch.setattr(delivery, "LOOK_EVERY", 3600.0)  # it looks once
    hook.misbehave = late = Late(pool)
    async with services(wanted) as opened:
        await opened.events.webhooks.add(Wish(hook.url))
    await bonus(pool, await new_user(pool))
    async with running(wanted, APART_FROM_NODES):
        await late.asked.wait()
        await pool.execute("UPDATE webhook_endpoints SET owner = 'another'")
        late.answer.set()
        await hook.takes(1)
        assert late.noted == 0


class TakenLate:
    """What was not taken at first is taken then, once it is told to."""

    def __init__(self) -> None:
        self.asked, self.answer = asyncio.Event(), asyncio.Event()
        self._failed = False

    async def __call__(
        self, _request: web.Request, _event: Json
    ) -> web.StreamResponse | None:
        if not self._failed:
            self._failed = True
            return web.Response(status=500)
        self.asked.set()
        await self.answer.wait()
        return None


async def test_what_waits_for_the_other_one_stays_with_it(
    wanted: Settings,
    pool: Pool,
    hook: Receiver,
    quick: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That one has passed over later events of the subject, and knows by the row alone
    that they are to be sent."""
    monkeypatch.setattr(delivery, "LOOK_EVERY", 3600.0)  # it looks once
    monkeypatch.setattr(pump, "SAVE_EVERY", 3600.0)
    hook.misbehave = late = TakenLate()
    async with services(wanted) as opened:
        await opened.events.webhooks.add(Wish(hook.url))
    user = await new_user(pool)
    await bonus(pool, user)
    async with running(wanted, APART_FROM_NODES):
        await late.asked.wait()
        await pool.execute("UPDATE webhook_endpoints SET owner = 'another'")
        late.answer.set()
        for count in (2, 3):  # by then it takes nothing of the subject as waiting
            await bonus(pool, user)
            await hook.takes(count)
    assert await pool.fetchval("SELECT count(*) FROM webhook_parked") == 1
