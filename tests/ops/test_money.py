"""Gifts, purchases and payouts, and two operators for what is much."""

from collections.abc import AsyncIterator

import pytest

from control_plane.audit.service import AuditLog
from control_plane.base.database import Pool
from control_plane.coins.model.gifts import GiftOrder
from control_plane.coins.model.ledger import Balances, refund
from control_plane.coins.service.gifts import Gifts
from control_plane.coins.store import ledger
from tests.support.api import APART_FROM_NODES, App, running, settings
from tests.support.client import Account
from tests.support.money import ROSE, new_user
from tests.support.operators import ask, token

TWO_ABOVE = 200  # coins


async def earner(app: App, pool: Pool, name: str, coins: int) -> Account:
    """Somebody who was given that many roses' worth, and asks for all of it."""
    star = await app.sign_in(name)
    fan = await new_user(pool, coins)
    gifts = Gifts(pool, share_percent=0, created_sessions=False)
    await gifts.send(GiftOrder(fan, ROSE, coins // 10, star.id))
    await star.ask("withdrawRequest", {"coin": coins, "email": f"{name}@example.com"})
    return star


@pytest.fixture
async def app(database_url: str, redis_url: str) -> AsyncIterator[App]:
    wanted = settings(database_url, redis_url, payout_two_operators_above=TWO_ABOVE)
    async with running(wanted, APART_FROM_NODES) as opened:
        yield opened


async def test_much_is_paid_when_two_operators_say_so(app: App, pool: Pool) -> None:
    one = await token(pool, "money", name="one")
    two = await token(pool, "money", name="two")
    await earner(app, pool, "ann", TWO_ABOVE + 100)
    [asked] = (await ask(app, "GET", "/v1/payouts", one))[1]["payouts"]
    path = f"/v1/payouts/{asked['id']}/pay"
    assert (await ask(app, "POST", path, one))[1]["approved_by"] == "operator:one"
    status, told = await ask(app, "POST", path, one)
    assert (status, "another operator" in told["detail"]) == (409, True)
    _, paid = await ask(app, "POST", path, two, json={"note": "ref 1"})
    assert (paid["status"], paid["note"], paid["amount"]) == ("paid", "ref 1", "3.00")
    told_of = [(e.act, e.actor) for e in await AuditLog(pool).page(2)]
    assert told_of == [
        ("payout.paid", "operator:two"),
        ("payout.approved", "operator:one"),
    ]
    assert (await ask(app, "POST", path, two))[0] == 409
    _, checked = await ask(app, "GET", "/v1/ledger/check", one)
    assert checked["faults"] == 0
    assert len(checked["checks"]) > 5
    _, latest = await ask(app, "GET", "/v1/ledger/check?latest=true", one)
    assert latest == checked
    _, again = await ask(app, "GET", "/v1/ledger/check", one)
    assert again["read_at"] > checked["read_at"]


async def test_little_is_paid_by_one_and_anything_refused(app: App, pool: Pool) -> None:
    money = await token(pool, "money")
    for name, coins in (("ann", TWO_ABOVE), ("bob", TWO_ABOVE + 100)):
        await earner(app, pool, name, coins)
    _, page = await ask(app, "GET", "/v1/payouts?limit=1", money)
    [first] = page["payouts"]
    _, rest = await ask(app, "GET", f"/v1/payouts?after={page['next']}", money)
    [second] = rest["payouts"]
    assert (first["coins"], second["coins"]) == (TWO_ABOVE, TWO_ABOVE + 100)
    _, paid = await ask(app, "POST", f"/v1/payouts/{first['id']}/pay", money)
    path = f"/v1/payouts/{second['id']}/reject"
    _, refused = await ask(app, "POST", path, money, json={"reason": "fraud"})
    assert (paid["status"], refused["status"]) == ("paid", "rejected")
    _, everything = await ask(app, "GET", "/v1/payouts?state=all", money)
    assert [one["id"] for one in everything["payouts"]] == [second["id"], first["id"]]
    [entry] = await AuditLog(pool).page(1)
    assert (entry.act, entry.reason) == ("payout.rejected", "fraud")


async def test_what_is_owed_stands_beside_a_payout_and_stops_it(
    app: App, pool: Pool
) -> None:
    money = await token(pool, "money")
    ann = await earner(app, pool, "ann", TWO_ABOVE)
    async with pool.acquire() as connection:
        spent = refund(ann.id, Balances(), 100)
        await ledger.transfer(connection, "refund", spent)
    [asked] = (await ask(app, "GET", "/v1/payouts", money))[1]["payouts"]
    assert (asked["coins"], asked["owed"]) == (TWO_ABOVE, 100)
    status, told = await ask(app, "POST", f"/v1/payouts/{asked['id']}/pay", money)
    assert (status, "frozen" in told["detail"]) == (409, True)
    path = f"/v1/payouts/{asked['id']}/reject"
    status, refused = await ask(app, "POST", path, money)
    assert (status, refused["status"]) == (200, "rejected")


async def test_a_bonus_is_given_once(app: App, pool: Pool) -> None:
    money = await token(pool, "money")
    ann = await app.sign_in("ann")
    path, more = f"/v1/users/{ann.id}/bonus", {"coins": 50, "reason": "sorry"}
    headers = {"Idempotency-Key": "one"}
    for _ in range(2):
        status, told = await ask(app, "POST", path, money, json=more, headers=headers)
        assert (status, told) == (200, {"wallet": 50})
        # As if nobody had lived to write down that it was answered.
        await pool.execute("DELETE FROM operator_requests")
    assert (await ask(app, "POST", path, money, json={"coins": 0}))[0] == 400
    [entry] = await AuditLog(pool).page(9)
    assert (entry.act, entry.subject) == ("coins.bonus", f"user/{ann.id}")
    assert (entry.actor, entry.reason) == ("operator:money 1.0", "sorry")
    assert entry.after["coins"] == 50


async def test_gifts_and_purchases_are_listed_and_refunded(
    app: App, pool: Pool
) -> None:
    money = await token(pool, "money")
    ann = await earner(app, pool, "ann", 100)
    _, found = await ask(app, "GET", "/v1/gifts", money)
    [gift] = found["gifts"]
    assert (gift["receiver_id"], gift["count"], gift["coins"]) == (ann.id, 10, 100)
    assert (await ask(app, "GET", "/v1/gifts?session_id=9", money))[1]["gifts"] == []
    await ann.ask("purchaseCoin", {"coin": 100, "transaction_id": "t1"})
    _, found = await ask(app, "GET", f"/v1/purchases?user_id={ann.id}", money)
    [bought] = found["purchases"]
    path = f"/v1/purchases/{bought['id']}/refund"
    status, refunded = await ask(app, "POST", path, money, json={"reason": "asked"})
    assert (status, refunded["status"]) == (200, "refunded")
    assert (await ask(app, "POST", path, money))[0] == 409
    [entry] = await AuditLog(pool).page(1)
    assert (entry.act, entry.subject) == (
        "purchase.refunded",
        f"purchase/{bought['id']}",
    )
