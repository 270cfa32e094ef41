"""When an event is given up, and when it is not although it is old."""

import pytest
from aiohttp import web

from control_plane.base.database import Pool
from control_plane.config.settings import Settings
from tests.support.api import APART_FROM_NODES, running
from tests.support.log import bonus, new_user
from tests.support.receiver import Receiver
from tests.support.stack import until
from tests.webhooks.conftest import new_operator
from tests.webhooks.test_delivering import ALWAYS, WAIT, Failing, Unanswered
from tests.webhooks.test_hostile_receivers import Once

#: It is tried since then.
TRIED = "UPDATE webhook_parked SET failed_since = failed_since - interval '81 hours'"
LEFT_ALONE = f"""{TRIED}, parked_at = parked_at - interval '81 hours',
    next_at = next_at - interval '81 hours'"""


@pytest.fixture
async def user(wanted: Settings, pool: Pool, hook: Receiver, quick: None) -> int:
    """The first of whose three events was not taken, when the service ended."""
    user = await new_user(pool)
    hook.misbehave = Failing(user, 1, 10**6)
    async with running(wanted, APART_FROM_NODES) as app:
        await (await new_operator(app, pool)).add(hook.url)
        for _ in range(3):
            await bonus(pool, user)
        await until(lambda: pool.fetchval("SELECT count(*) FROM webhook_parked"))
    return user


async def _taken(wanted: Settings, hook: Receiver, user: int) -> list[int]:
    """Up to the last."""
    async with running(wanted, APART_FROM_NODES):
        await hook.until(lambda: 3 in hook.of(user))
    return hook.of(user)


async def test_what_was_tried_for_80_hours_is_given_up(
    wanted: Settings, pool: Pool, hook: Receiver, user: int
) -> None:
    await pool.execute(TRIED)
    assert await _taken(wanted, hook, user) == [2, 3]
    assert await pool.fetchval("SELECT count(*) FROM webhook_dead_letters") == 1


async def test_the_next_one_is_tried_for_as_long(
    wanted: Settings, pool: Pool, hook: Receiver, user: int
) -> None:
    await pool.execute(TRIED)
    hook.misbehave = Failing(user, 2, 1)
    assert await _taken(wanted, hook, user) == [1, 2, 3]


async def test_so_is_the_one_that_was_its_turn_when_the_service_ended(
    wanted: Settings, pool: Pool, hook: Receiver, user: int
) -> None:
    await pool.execute(TRIED)
    hook.misbehave = last = Unanswered(user, 3)
    async with running(wanted, APART_FROM_NODES):
        await last.asked.wait()
    hook.misbehave = Failing(user, 3, 1)
    assert await _taken(wanted, hook, user) == [1, 2, 3]
    assert await pool.fetchval("SELECT count(*) FROM webhook_dead_letters") == 0


async def test_nothing_is_given_up_while_the_receiver_is_away(
    wanted: Settings, pool: Pool, hook: Receiver, user: int
) -> None:
    await pool.execute(TRIED)
    hook.misbehave = Once(web.Response(status=503, headers={"Retry-After": "1"}))
    assert await _taken(wanted, hook, user) == [1, 2, 3]


async def test_one_that_is_told_to_wait_is_given_up_if_others_are_taken(
    wanted: Settings, pool: Pool, hook: Receiver, user: int
) -> None:
    await pool.execute(TRIED)
    hook.misbehave = Failing(user, 1, ALWAYS, 503, WAIT)
    await bonus(pool, await new_user(pool))
    assert await _taken(wanted, hook, user) == [2, 3]
    assert await pool.fetchval("SELECT count(*) FROM webhook_dead_letters") == 1


async def test_hours_in_which_it_was_not_tried_do_not_count(
    wanted: Settings, pool: Pool, hook: Receiver, user: int
) -> None:
    """It waited behind others for a receiver that was away, or nobody sent."""
    await pool.execute(LEFT_ALONE)
    hook.misbehave = Failing(user, 1, 1)
    assert await _taken(wanted, hook, user) == [1, 2, 3]
