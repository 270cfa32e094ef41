"""Subjects whose events wait for hours cost hardly any memory."""

import gc

import pytest
from aiohttp import web

from control_plane.base.database import Pool
from control_plane.config.settings import Settings
from control_plane.events.log import append_user_events
from control_plane.events.model import Event
from control_plane.webhooks.model import retries
from tests.support.api import APART_FROM_NODES, running
from tests.support.log import BONUS, new_user
from tests.support.receiver import Json, Receiver
from tests.support.stack import until
from tests.webhooks.conftest import new_operator

EVENTS = 300
FEW = 20
ATTEMPTS = "SELECT coalesce(max(attempts), 0) FROM webhook_parked"


def _held(user: int) -> int:
    """How many of a user's events are in memory."""
    gc.collect()
    every = (one for one in gc.get_objects() if type(one) is Event)
    return sum(one.subject_id == user for one in every)


class Weighing:
    """Takes nothing. ``held``: the most that were in memory when something came."""

    def __init__(self, user: int) -> None:
        self._user = user
        self.held = 0

    async def __call__(self, _request: web.Request, _event: Json) -> web.Response:
        self.held = max(self.held, _held(self._user))
        return web.Response(status=500)


async def _attempts(pool: Pool) -> int:
    return int(await pool.fetchval(ATTEMPTS))


async def test_what_waits_is_in_the_log_and_not_in_memory(
    wanted: Settings,
    pool: Pool,
    hook: Receiver,
    quick: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user = await new_user(pool)
    many = [(user, BONUS)] * EVENTS
    hook.misbehave = Weighing(user)
    async with running(wanted, APART_FROM_NODES) as app:
        await (await new_operator(app, pool)).add(hook.url)
        async with pool.transaction() as connection:
            await append_user_events(connection, "coins.bonus", many)
        await until(lambda: _attempts(pool))
    before = await _attempts(pool)
    monkeypatch.setattr(retries, "DELAYS", (retries.HOUR,))
    hook.misbehave = weighing = Weighing(user)
    async with running(wanted, APART_FROM_NODES):

        async def failed_again() -> bool:
            return await _attempts(pool) > before

        await until(failed_again)
        assert _held(user) < FEW
    assert weighing.held < FEW
