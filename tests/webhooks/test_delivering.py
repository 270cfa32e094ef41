"""Events reach receivers signed, in order, and at least once."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

import pytest
from aiohttp import web

from control_plane.base.database import Pool
from control_plane.config.settings import Settings
from control_plane.events import store
from control_plane.events.log import append_user_event
from control_plane.events.model import Event
from control_plane.webhooks.service import pump
from tests.support.api import APART_FROM_NODES, running
from tests.support.log import bonus, bonus_in, new_user, whole_log
from tests.support.receiver import Json, Receiver, behave, receiver
from tests.support.stack import until
from tests.webhooks.conftest import Operator, new_operator

ALWAYS = 10**6
WAIT: Mapping[str, str] = {"Retry-After": "1"}


class Failing:
    """One event is not taken so many times."""

    def __init__(
        self,
        subject_id: int,
        seq: int,
        times: int,
        status: int = 500,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._of = subject_id, seq
        self.left = times
        self._status, self._headers = status, headers

    async def __call__(
        self, _request: web.Request, event: Json
    ) -> web.StreamResponse | None:
        if (event["subject_id"], event["seq"]) == self._of and self.left:
            self.left -= 1
            return web.Response(status=self._status, headers=self._headers)
        return None


async def test_an_event_is_told_as_the_log_tells_it(
    operator: Operator, hook: Receiver, pool: Pool
) -> None:
    endpoint = await operator.add(hook.url)
    assert endpoint["enabled"]
    await bonus(pool, await new_user(pool), 7)
    (event,) = await hook.takes(1)
    (logged,) = await whole_log(pool)
    assert event["id"] == logged.id
    assert event["type"] == "coins.bonus"
    assert event["data"] == {"coin": 7, "reason": "a test"}
    request = hook.got[-1]
    assert request.headers["webhook-id"] == logged.id
    request.verify(endpoint["secret"])


async def test_only_the_types_it_wants(
    operator: Operator, hook: Receiver, pool: Pool
) -> None:
    await operator.add(hook.url, types=["user.deleted", "coins.bonus"])
    user = await new_user(pool)
    async with pool.transaction() as connection:
        await append_user_event(connection, user, "user.unbanned", {})
        await bonus_in(connection, user)
    assert [event["seq"] for event in await hook.takes(1)] == [2]


async def test_an_event_that_fails_keeps_its_subject_in_order_and_nobody_else(
    operator: Operator, hook: Receiver, pool: Pool
) -> None:
    slow, other = await new_user(pool), await new_user(pool)
    hook.misbehave = failure = Failing(slow, 1, 3)
    endpoint = await operator.add(hook.url)
    for _ in range(3):
        await bonus(pool, slow)
        await bonus(pool, other)
    await hook.takes(6)
    assert failure.left == 0
    assert hook.of(slow) == hook.of(other) == [1, 2, 3]
    statuses = await until(lambda: _statuses(operator, endpoint, 500, 3))
    assert statuses.count(500) == 3


async def _statuses(
    operator: Operator, endpoint: Json, status: int, count: int
) -> list[int] | None:
    found = [line["status"] for line in await operator.log(endpoint)]
    return found if found.count(status) >= count else None


@pytest.mark.parametrize(
    ("window", "events"),
    [pytest.param(pump.WINDOW, 1, id="one"), pytest.param(5, 6, id="a window of them")],
)
async def test_one_that_is_always_told_to_wait_stops_nobody_else(
    window: int,
    events: int,
    operator: Operator,
    hook: Receiver,
    pool: Pool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where so many wait behind it that there is no room for others."""
    monkeypatch.setattr(pump, "WINDOW", window)
    slow, others = await new_user(pool), [await new_user(pool) for _ in range(10)]
    hook.misbehave = Failing(slow, 1, ALWAYS, 503, WAIT)
    await operator.add(hook.url)
    for _ in range(events):
        await bonus(pool, slow)
    await hook.until(lambda: len(hook.got) >= 3)  # the challenge, and it twice
    for user in others:
        await bonus(pool, user)
    await hook.takes(10)
    assert [hook.of(user) for user in others] == [[1]] * 10
    assert await until(lambda: _parked(pool)) == 1


PASSED = """
    SELECT EXISTS (SELECT FROM events e, webhook_endpoints w WHERE e.subject_id = $1
    AND e.seq = $2 AND (e.era, e.xid, e.id) <= (w.era, w.xid, w.event_id))
"""


async def test_what_happens_while_a_subject_catches_up_is_sent_too(
    operator: Operator, hook: Receiver, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The place in the log moves behind it before it is heard that nothing is left."""
    user, find = await new_user(pool), store.of_subject
    looks: list[int] = []

    async def finds_late(*asked: Any, **more: Any) -> list[Event]:
        found = await find(*asked, **more)
        if not found and 0 not in looks:
            await bonus(pool, user)
            await until(lambda: pool.fetchval(PASSED, user, 2))
        looks.append(len(found))
        return found

    monkeypatch.setattr(store, "of_subject", finds_late)
    hook.misbehave = Failing(user, 1, 1)
    await operator.add(hook.url)
    await bonus(pool, user)
    await until(lambda: _all_is_sent(pool, looks))
    await bonus(pool, user)
    await hook.until(lambda: 3 in hook.of(user))
    assert hook.of(user) == [1, 2, 3]


async def _all_is_sent(pool: Pool, looks: list[int]) -> bool:
    return 0 in looks and not await _parked(pool)


async def _parked(pool: Pool) -> int:
    return int(await pool.fetchval("SELECT count(*) FROM webhook_parked"))


async def test_what_is_parked_survives_a_restart(
    wanted: Settings, pool: Pool, hook: Receiver, quick: None
) -> None:
    user = await new_user(pool)
    async with running(wanted, APART_FROM_NODES) as app:
        hook.misbehave = Failing(user, 1, 10**6)
        await (await new_operator(app, pool)).add(hook.url)
        for _ in range(3):
            await bonus(pool, user)
        await until(lambda: _parked(pool))
    hook.misbehave = Failing(user, 1, 0)
    async with running(wanted, APART_FROM_NODES):
        await hook.takes(3)
        assert hook.of(user) == [1, 2, 3]
        await bonus(pool, user)
        await hook.takes(4)
    assert hook.of(user) == [1, 2, 3, 4]


class Unanswered:
    """One event is never answered."""

    def __init__(self, subject_id: int, seq: int) -> None:
        self._of = subject_id, seq
        self.asked = asyncio.Event()

    async def __call__(
        self, _request: web.Request, event: Json
    ) -> web.StreamResponse | None:
        if (event["subject_id"], event["seq"]) == self._of:
            self.asked.set()
            await asyncio.Event().wait()
        return None


async def test_what_was_taken_before_the_service_ends_does_not_come_again(
    wanted: Settings, pool: Pool, hook: Receiver, quick: None
) -> None:
    """Of a subject that catches up."""
    user = await new_user(pool)
    async with running(wanted, APART_FROM_NODES) as app:
        hook.misbehave = Failing(user, 1, ALWAYS)
        await (await new_operator(app, pool)).add(hook.url)
        for _ in range(3):
            await bonus(pool, user)
        await until(lambda: _parked(pool))
    hook.misbehave = last = Unanswered(user, 3)
    async with running(wanted, APART_FROM_NODES):
        await last.asked.wait()
    hook.misbehave = behave
    async with running(wanted, APART_FROM_NODES):
        await hook.takes(3)
    assert [event["seq"] for event in hook.taken] == [1, 2, 3]


async def test_a_receiver_that_is_away_gets_everything_when_it_is_back(
    operator: Operator, pool: Pool
) -> None:
    users = [await new_user(pool) for _ in range(12)]
    async with receiver() as hook:
        endpoint = await operator.add(hook.url)
        url, port = hook.url, int(hook.url.split(":")[2].split("/")[0])
    for _ in range(3):
        for user in users:
            await bonus(pool, user)
    await until(lambda: _failing_since(operator, endpoint))
    async with receiver(port=port) as hook:
        assert hook.url == url
        await hook.takes(36)
        for user in users:
            assert hook.of(user) == [1, 2, 3]
        await until(lambda: _is_well(operator, endpoint))
    assert len(hook.taken) == 36


async def _failing_since(operator: Operator, endpoint: Json) -> object:
    return (await operator.get(endpoint))["failing_since"]


async def _is_well(operator: Operator, endpoint: Json) -> bool:
    return (await operator.get(endpoint))["failing_since"] is None


async def test_one_dead_receiver_delays_no_other(
    operator: Operator, hook: Receiver, pool: Pool
) -> None:
    hang = asyncio.Event()

    async def hangs(_request: web.Request, _event: Json) -> web.StreamResponse | None:
        await hang.wait()
        return None

    users = [await new_user(pool) for _ in range(20)]
    async with receiver() as dead:
        dead.misbehave = hangs
        await operator.add(dead.url)
        await operator.add(hook.url)
        for user in users:
            await bonus(pool, user)
        await hook.takes(20)
        assert dead.taken == []
        hang.set()
        await dead.takes(20)


async def test_several_processes_deliver_each_event_once(
    wanted: Settings,
    operator: Operator,
    hook: Receiver,
    pool: Pool,
) -> None:
    user = await new_user(pool)
    async with running(wanted, APART_FROM_NODES), running(wanted, APART_FROM_NODES):
        await operator.add(hook.url)
        for _ in range(30):
            await bonus(pool, user)
        await hook.takes(30)
    assert [event["seq"] for event in hook.taken] == list(range(1, 31))


async def test_another_process_goes_on(
    wanted: Settings, pool: Pool, hook: Receiver, quick: None
) -> None:
    user = await new_user(pool)
    async with contextlib.AsyncExitStack() as first:
        app = await first.enter_async_context(running(wanted, APART_FROM_NODES))
        async with running(wanted, APART_FROM_NODES):
            await (await new_operator(app, pool)).add(hook.url)
            await bonus(pool, user)
            await hook.takes(1)
            await first.aclose()
            await bonus(pool, user)
            await hook.takes(2)
    assert [event["seq"] for event in hook.taken] == [1, 2]
