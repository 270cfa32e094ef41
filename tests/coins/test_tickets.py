"""Tickets: bought with coins, given back unless somebody watched, then the host's."""

import asyncio
from collections.abc import Sequence

import pytest

from control_plane.base.database import Pool
from control_plane.coins.model.idempotency import RequestKey
from control_plane.coins.model.ledger import (
    Balances,
    bonus,
    gift,
    purchase,
    refund,
    trial_purchase,
)
from control_plane.coins.service import tickets
from control_plane.coins.service.audit import Audit
from control_plane.coins.store import ledger
from control_plane.config.settings import Settings
from control_plane.roles.running import RoleName
from control_plane.wiring.services import Services, services
from tests.support.api import settings
from tests.support.client import Account, App, Json
from tests.support.money import end_session, kinds, new_session, new_user
from tests.support.service import ALL
from tests.support.stack import until

PRICE = 100


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tickets, "SETTLE_EVERY", 0.3)


@pytest.fixture
def roles() -> Sequence[RoleName]:
    """They are given back by ``work``."""
    return ALL


@pytest.fixture
def wanted(database_url: str, redis_url: str) -> Settings:
    return settings(database_url, redis_url, platform_share_percent=30)


@pytest.fixture
async def ann(app: App) -> Account:
    """The host."""
    return await app.sign_in("ann")


@pytest.fixture
async def bob(app: App, pool: Pool) -> Account:
    """He has 150 coins."""
    account = await app.sign_in("bob")
    async with pool.transaction() as connection:
        await ledger.transfer(connection, "bonus", bonus(account.id, 150))
    return account


@pytest.fixture
async def live(ann: Account, pool: Pool) -> Json:
    """What buying a ticket for it says."""
    session_id = await new_session(pool, ann.id)
    await _terms(pool, session_id)
    return {"id": session_id, "price": PRICE}


async def _coins(pool: Pool, of: Account) -> int:
    return (await ledger.balances(pool, of.id)).wallet


async def _right(pool: Pool) -> bool:
    return not any(one.faults for one in await Audit(pool).check())


async def test_who_has_none_is_told_what_it_costs(
    app: App, ann: Account, bob: Account, live: Json
) -> None:
    sentence = "Buy a ticket for 100 coins to watch this live stream."
    assert (await bob.refused("watch", live))["msg"] == sentence
    assert (await app.refused("watch", live))["msg"] == f"Sign in. {sentence}"
    assert await ann.ask("watch", live)
    shown = (await bob.ask("showLiveStream", live))["LiveStreaming"]
    assert (shown["policy"], shown["ticket_price"]) == ("paid", PRICE)


async def test_a_ticket_opens_it(bob: Account, live: Json, pool: Pool) -> None:
    bought = await bob.ask("buyTicket", live)
    assert bought["User"]["wallet"] == 50
    assert bought["Ticket"]["coin"] == PRICE
    assert bought["Ticket"]["live_streaming_id"] == live["id"]
    assert (await bob.ask("watch", live))["Watch"]["token"]
    assert await _right(pool)


async def test_a_second_one_costs_nothing(bob: Account, live: Json, pool: Pool) -> None:
    several = await asyncio.gather(*(bob.ask("buyTicket", live) for _ in range(5)))
    assert len({one["Ticket"]["id"] for one in several}) == 1
    assert await _coins(pool, bob) == 50
    assert await kinds(pool, "user", bob.id) == ["ticket.bought"]
    assert await _right(pool)


async def test_a_watched_one_is_the_hosts(
    ann: Account, bob: Account, live: Json, pool: Pool
) -> None:
    await bob.ask("buyTicket", live)
    assert await _coins(pool, ann) == 0
    await bob.ask("watch", live)
    refused = await bob.refused("refundTicket", live)
    assert "watched" in refused["msg"]

    async def paid() -> bool:
        return await _coins(pool, ann) == PRICE

    await until(paid)
    assert await kinds(pool, "user", bob.id) == ["ticket.bought", "ticket.used"]
    assert await _right(pool)


async def test_an_unwatched_one_is_given_back(
    bob: Account, live: Json, pool: Pool
) -> None:
    await bob.ask("buyTicket", live)
    assert (await bob.ask("refundTicket", live))["User"]["wallet"] == 150
    assert (await bob.call("watch", live))["code"] == 201
    assert (await bob.refused("refundTicket", live))["code"] == 201
    assert await _coins(pool, bob) == 150
    assert await _right(pool)
    await bob.ask("buyTicket", live)
    assert (await bob.ask("watch", live))["Watch"]["token"]
    assert await _right(pool)


async def test_it_is_given_back_where_nothing_ever_began(
    ann: Account, bob: Account, pool: Pool
) -> None:
    session_id = await new_session(pool, ann.id, "created")
    await pool.execute("UPDATE live_streaming_sessions SET started_at = NULL")
    body = {"id": session_id, "policy": "paid", "ticket_price": PRICE}
    await ann.ask("setLivePolicy", body)
    await bob.ask("buyTicket", {"id": session_id, "price": PRICE})
    assert await bob.ask("watch", {"id": session_id})  # before it is live
    await end_session(pool, session_id)

    async def back() -> bool:
        return await _coins(pool, bob) == 150

    await until(back)
    assert await kinds(pool, "user", bob.id) == ["ticket.bought", "ticket.refunded"]
    assert await _right(pool)


async def test_it_is_given_back_when_nobody_watched_and_the_end_is_long_ago(
    bob: Account, live: Json, pool: Pool
) -> None:
    await bob.ask("buyTicket", live)
    await end_session(pool, live["id"])
    await pool.execute(
        "UPDATE live_streaming_sessions SET ended_at = ended_at - interval '25 hours'"
    )

    async def back() -> bool:
        return await _coins(pool, bob) == 150

    await until(back)
    assert await kinds(pool, "user", bob.id) == ["ticket.bought", "ticket.refunded"]
    assert await _right(pool)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"price": 99}, "100 coins now"),
        ({"price": 0}, "100 coins now"),
        ({"id": 4711}, ""),
    ],
)
async def test_what_is_not_sold(
    bob: Account, live: Json, pool: Pool, changes: Json, word: str
) -> None:
    refused = await bob.refused("buyTicket", live | changes)
    assert word in refused["msg"]
    assert await _coins(pool, bob) == 150


async def test_who_is_not_sold_one(
    app: App, ann: Account, bob: Account, live: Json, pool: Pool
) -> None:
    assert (await ann.refused("buyTicket", live))["code"] == 201
    poor = await app.sign_in("poor")
    assert "coins" in (await poor.refused("buyTicket", live))["msg"]
    assert (await app.call("buyTicket", live))["code"] == 401
    await ann.ask("denyViewer", {"id": live["id"], "viewer_user_id": bob.id})
    assert (await bob.refused("buyTicket", live))["code"] == 201
    await end_session(pool, live["id"])
    assert "ended" in (await bob.refused("buyTicket", live))["msg"]
    assert await _coins(pool, bob) == 150


async def test_a_request_that_is_sent_again_counts_once(
    app: App, bob: Account, live: Json, pool: Pool
) -> None:
    headers = {"Idempotency-Key": "k", "Auth-Token": bob.token}
    body = f"id={live['id']}&price={PRICE}"
    for _ in range(2):
        answer = await app.raw(
            "buyTicket",
            body,
            headers | {"Content-Type": "application/x-www-form-urlencoded"},
        )
        assert answer["msg"]["User"]["wallet"] == 50
        await bob.call("refundTicket", live)
    assert await _coins(pool, bob) == 150
    assert await _right(pool)


async def test_who_lost_the_answer_gets_it_again_when_the_show_is_over(
    wanted: Settings, bob: Account, live: Json, pool: Pool
) -> None:
    key = RequestKey("k", b"the same")
    session_id = int(live["id"])
    async with services(wanted) as opened:
        bought = await opened.tickets.buy(bob.id, session_id, PRICE, key)
        await end_session(pool, session_id)
        assert await opened.tickets.buy(bob.id, session_id, PRICE, key) == bought


async def test_a_ticket_of_trial_coins_that_are_all_the_platforms(
    wanted: Settings, pool: Pool
) -> None:
    """Nothing moves when it is used, and the next one is settled too."""
    fans = [
        int(await pool.fetchval("INSERT INTO users DEFAULT VALUES RETURNING id"))
        for _ in range(3)
    ]
    host, *fans = fans
    session_id = await new_session(pool, host)
    await _terms(pool, session_id)
    changed = wanted.model_copy(update={"platform_share_percent": 100})
    async with services(changed) as opened:
        for fan in fans:
            async with pool.transaction() as connection:
                await ledger.transfer(
                    connection, "purchase", trial_purchase(fan, PRICE)
                )
            await opened.tickets.buy(fan, session_id, PRICE)
        await _watched(opened, pool)
    assert await ledger.balances(pool, host) == Balances()
    waiting = "SELECT count(*) FROM tickets WHERE used_transfer_id IS NULL"
    assert await pool.fetchval(waiting) == 0
    bad = [one.name for one in await Audit(pool).check() if one.faults]
    assert bad == ["purchases_have_transfers"]  # there are none of those made here


@pytest.mark.parametrize(
    "terms",
    [
        {"policy": "paid"},
        {"policy": "paid", "ticket_price": 0},
        {"policy": "paid", "ticket_price": -5},
        {"policy": "paid", "ticket_price": 1_000_001},
        {"policy": "followers", "ticket_price": 5},
    ],
)
async def test_terms_that_cannot_be_meant(ann: Account, terms: Json) -> None:
    assert (await ann.refused("liveStream", terms))["code"] == 400


async def test_another_price_takes_nobodys_ticket(
    ann: Account, bob: Account, live: Json
) -> None:
    await bob.ask("buyTicket", live)
    body = {"id": live["id"], "policy": "paid", "ticket_price": 120}
    await ann.ask("setLivePolicy", body)
    assert (await bob.ask("watch", live))["Watch"]["token"]


@pytest.mark.parametrize("share", [0, 30])
async def test_each_kind_of_coins_stays_what_it_is(
    wanted: Settings, pool: Pool, share: int
) -> None:
    """Trial, bonus and bought ones together: none made, none lost, none turned into
    what can be paid out."""
    fan = int(await pool.fetchval("INSERT INTO users DEFAULT VALUES RETURNING id"))
    host = int(await pool.fetchval("INSERT INTO users DEFAULT VALUES RETURNING id"))
    async with pool.transaction() as connection:
        await ledger.transfer(connection, "purchase", trial_purchase(fan, 33))
        await ledger.transfer(connection, "bonus", bonus(fan, 20))
        await ledger.transfer(connection, "purchase", purchase(fan, Balances(), 99))
    session_id = await new_session(pool, host)
    changed = wanted.model_copy(update={"platform_share_percent": share})
    async with services(changed) as opened:
        await _terms(pool, session_id)
        before = await ledger.balances(pool, fan)
        await opened.tickets.buy(fan, session_id, PRICE)
        await opened.tickets.refund(fan, session_id)
        assert await ledger.balances(pool, fan) == before
        await opened.tickets.buy(fan, session_id, PRICE)
        await _watched(opened, pool)
    assert await ledger.balances(pool, fan) == Balances(paid=52)
    gone = PRICE * share // 100 - 67 * share // 100
    kept = 67 - 67 * share // 100
    assert await ledger.balances(pool, host) == Balances(trial=33 - gone, earnings=kept)
    bad = [one.name for one in await Audit(pool).check() if one.faults]
    assert bad == ["purchases_have_transfers"]  # there are none of those made here


@pytest.mark.parametrize("asked_for", [True, False])
async def test_coins_that_come_back_make_a_refunded_purchase_good(
    wanted: Settings, pool: Pool, asked_for: bool
) -> None:
    """Nobody else could: what was earned stays frozen until it is."""
    host, fan, friend = [await new_user(pool, coins) for coins in (0, 20, 300)]
    has = await ledger.balances(pool, friend)
    async with pool.transaction() as connection:
        await ledger.transfer(connection, "gift", gift(friend, has, fan, 300, 0))
        await ledger.transfer(connection, "purchase", purchase(fan, Balances(), 150))
    session_id = await new_session(pool, host)
    await _terms(pool, session_id)
    async with services(wanted) as opened:
        await opened.tickets.buy(fan, session_id, PRICE)
        has = await ledger.balances(pool, fan)
        assert (has.paid, has.bonus) == (70, 0)
        async with pool.transaction() as connection:
            await ledger.transfer(connection, "refund", refund(fan, has, 120))
        if asked_for:
            left = await opened.tickets.refund(fan, session_id)
            assert left == 350
        else:
            await _never_watched(opened, pool, session_id)
        mended = await ledger.balances(pool, fan)
        assert mended == Balances(paid=30, bonus=20, earnings=300)
        paid = await opened.coins.payouts.request(fan, 300, "fan@example.com")
        assert paid.request.coins == 300


async def _terms(pool: Pool, session_id: int) -> None:
    await pool.execute(
        "UPDATE live_streaming_sessions SET policy = 'paid', ticket_price = $2"
        " WHERE id = $1",
        session_id,
        PRICE,
    )


async def _never_watched(opened: Services, pool: Pool, session_id: int) -> None:
    await end_session(pool, session_id)
    await pool.execute(
        "UPDATE live_streaming_sessions SET ended_at = ended_at - interval '25 hours'"
    )
    await opened.tickets.settle()


async def _watched(opened: Services, pool: Pool) -> None:
    await pool.execute(
        "UPDATE tickets SET watched_at = now() WHERE refund_transfer_id IS NULL"
    )
    await opened.tickets.settle()
    await opened.tickets.settle()


#: What is changed behind the rules, and the check that finds it.
WRONG = {
    "UPDATE tickets SET coins = coins + 1": "tickets_have_transfers",
    "DELETE FROM tickets": "tickets_have_transfers",
    "UPDATE tickets SET refund_transfer_id = transfer_id": "escrow_equals_tickets",
}


@pytest.mark.parametrize("change", WRONG)
async def test_the_check_finds_a_wrong_ticket(
    bob: Account, live: Json, owner: Pool, change: str
) -> None:
    await bob.ask("buyTicket", live)
    await owner.execute(change)
    found = {one.name for one in await Audit(owner).check() if one.faults}
    assert WRONG[change] in found
