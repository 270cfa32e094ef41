"""Whatever happens at once, the ledger's rules hold.

Gifts, purchases, refunds, their reversals, withdrawals and decisions, in random order
over many connections and services that share nothing, with keys used again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields, replace
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from control_plane.base.database import Pool
from control_plane.base.refusals import Refusal
from control_plane.coins.app_stores.apple import AppleStore
from control_plane.coins.model.gifts import GiftOrder
from control_plane.coins.model.idempotency import request_key
from control_plane.coins.model.ledger import (
    Balances,
    gift,
    purchase,
    refund,
    spend,
    trial_purchase,
    trial_refund,
)
from control_plane.coins.model.money import CoinWorth
from control_plane.coins.model.payouts import Decision
from control_plane.coins.model.purchases import WHOLE, Claim, RefundNotice
from control_plane.coins.service.audit import Audit
from control_plane.coins.service.gifts import Gifts
from control_plane.coins.service.payouts import Payouts
from control_plane.coins.service.purchases import Purchases
from tests.support.app_stores import FakeApple
from tests.support.money import everything, new_session, new_user

USERS = 4
GIVEN = 300  # coins, to each
TRANSACTIONS = 6
counts = st.integers(0, 10**6)
balances = st.builds(
    Balances, *[counts] * (len(fields(Balances)) - 1), owed=st.integers(-(10**6), 0)
)


@given(balances, st.data())
def test_spending_takes_exactly_so_much(has: Balances, data: st.DataObject) -> None:
    coins = data.draw(st.integers(0, has.wallet))
    after = has.after(1, spend(1, has, coins))
    assert has.wallet - after.wallet == coins
    assert min(after.trial, after.bonus, after.paid, after.earnings) >= 0
    assert after.bonus == has.bonus or after.trial == 0
    assert after.paid == has.paid or after.bonus == 0
    assert after.earnings == has.earnings or (after.paid, after.bonus) == (0, 0)


@given(balances, st.integers(0, 100), st.data())
def test_a_gift_neither_makes_nor_loses_coins(
    has: Balances, percent: int, data: st.DataObject
) -> None:
    coins = data.draw(st.integers(0, has.wallet))
    entries = gift(1, has, 2, coins, percent)
    assert sum(entry.amount for entry in entries) == 0
    got = Balances().after(2, entries)
    assert got.wallet == coins - coins * percent // 100
    trial = has.trial - has.after(1, entries).trial
    assert got.trial <= trial
    share = sum(entry.amount for entry in entries if entry.account == "share")
    assert got.earnings + share == coins - trial


@given(balances, st.integers(1, 10**6))
def test_a_refund_undoes_its_purchase(has: Balances, coins: int) -> None:
    bought = has.after(1, purchase(1, has, coins))
    undone = bought.after(1, refund(1, bought, coins))
    assert undone.paid + undone.owed == has.paid + has.owed
    assert undone.paid >= 0
    assert bought.owed <= 0
    assert undone.trial == has.trial


@given(balances, st.integers(1, 10**6))
def test_a_test_purchase_and_its_refund_touch_nothing_else(
    has: Balances, coins: int
) -> None:
    bought = has.after(1, trial_purchase(1, coins))
    assert bought == replace(has, trial=has.trial + coins)
    assert bought.after(1, trial_refund(1, bought, coins)) == has
    less = has.after(1, trial_refund(1, has, coins))
    assert less == replace(has, trial=max(has.trial - coins, 0))


@dataclass(frozen=True, slots=True)
class Step:
    """``who`` and ``whom``: of the users; ``which``: of packages, transactions and
    keys, which come again."""

    kind: str
    who: int
    whom: int
    which: int
    much: int


steps = st.builds(
    Step,
    st.sampled_from(
        ["gift", "gift", "buy", "buy", "refund", "reverse", "ask", "pay", "reject"]
    ),
    st.integers(0, USERS - 1),
    st.integers(0, USERS - 1),
    st.integers(0, TRANSACTIONS - 1),
    st.integers(1, 12),
)


class Party:
    """Some users, and services that share nothing but the database. Every other
    purchase is one of the app store's sandbox."""

    def __init__(
        self, pool: Pool, store: AppleStore, users: list[int], sessions: list[int]
    ) -> None:
        self._users = users
        self._sessions = sessions
        self._gifts = [
            Gifts(pool, share_percent=percent, created_sessions=False)
            for percent in (0, 33)
        ]
        self._shop = Purchases(
            pool, {"apple": store}, test_purchases=False, sandbox_purchases=True
        )
        worth = CoinWorth(Decimal("0.01"), "USD")
        self._payouts = Payouts(pool, worth, least_coins=1)

    async def take(self, step: Step) -> bool:
        """False when it was refused."""
        ways: dict[str, Callable[[Step], Awaitable[object]]] = {
            "gift": self._gift,
            "buy": self._buy,
            "refund": lambda s: self._shop.notice(self._notice(s, True)),
            "reverse": lambda s: self._shop.notice(self._notice(s, False)),
            "ask": self._ask,
            "pay": lambda s: self._decide(s, "paid"),
            "reject": lambda s: self._decide(s, "rejected"),
        }
        try:
            await ways[step.kind](step)
        except Refusal:
            return False
        return True

    def _notice(self, step: Step, back: bool) -> RefundNotice:
        """Two of three refunds are of a part."""
        share = min(step.much * WHOLE // 9, WHOLE)
        bought = transaction(self._users, step.which)
        return RefundNotice("apple", bought, back, share=share)

    async def _gift(self, step: Step) -> object:
        order = GiftOrder(
            self._users[step.who],
            1 + step.which % 4,
            step.much,
            self._users[step.whom],
            session_id=self._sessions[step.whom] if step.which % 2 else 0,
        )
        said = {"much": step.much}
        key = request_key(f"g{step.which}", "g", said) if step.much % 3 == 0 else None
        return await self._gifts[step.much % 2].send(order, key)

    async def _buy(self, step: Step) -> object:
        key = request_key(f"b{step.which}", "b", {}) if step.much % 2 else None
        claim = Claim("apple", transaction(self._users, step.which))
        return await self._shop.buy(self._users[step.who], claim, key)

    async def _ask(self, step: Step) -> object:
        key = request_key(f"w{step.which}", "w", {}) if step.much % 2 else None
        user_id, coins = self._users[step.who], step.much * 10
        return await self._payouts.request(user_id, coins, "a@b.c", key)

    async def _decide(self, step: Step, decision: Decision) -> object:
        waiting = await self._payouts.listing("pending", 6)
        request_id = waiting[step.which % len(waiting)].id if waiting else 0
        return await self._payouts.decide(request_id, decision)


def transaction(users: list[int], which: int) -> str:
    return f"{users[0]}{which}"


async def party(pool: Pool, apple: FakeApple, store: AppleStore) -> Party:
    users = [await new_user(pool, GIVEN) for _ in range(USERS)]
    for which in range(TRANSACTIONS):
        apple.bought(
            transaction(users, which),
            f"buy{(100, 500, 2000)[which % 3]}Coins",
            "sandbox" if which % 2 else "production",
        )
    sessions = [await new_session(pool, user) for user in users]
    return Party(pool, store, users, sessions)


async def only_real_coins_are_payable(pool: Pool) -> None:
    """All that was ever given by us or really bought is still there, was the platform's
    share or was paid; and there is nothing else that could be."""
    there = await pool.fetchval(
        "SELECT sum(amount) FROM ledger_entries"
        " WHERE account NOT IN ('trial', 'clearing')"
    )
    paid = await pool.fetchval(
        "SELECT coalesce(sum(coins), 0) FROM withdraw_requests WHERE status = 'paid'"
    )
    users = await pool.fetchval("SELECT count(*) FROM users")
    bought = await pool.fetchval(
        "SELECT coalesce(sum(coins - refunded_coins), 0) FROM purchases"
        " WHERE environment = 'production'"
    )
    assert there + paid == users * GIVEN + bought


async def what_was_taken_back_is_known(pool: Pool) -> None:
    moved = await pool.fetchval(
        "SELECT coalesce(sum(amount), 0) FROM ledger_entries e"
        " JOIN ledger_transfers t ON t.id = e.transfer_id"
        " WHERE account = 'clearing' AND kind IN ('refund', 'refund_reversed')"
    )
    taken = await pool.fetchval("SELECT coalesce(sum(taken_coins), 0) FROM purchases")
    assert moved == taken


async def broken(pool: Pool) -> list[str]:
    found = [one.name for one in await Audit(pool).check() if one.faults]
    gaps = await pool.fetchval(
        "SELECT count(*) FROM (SELECT FROM events GROUP BY subject, subject_id"
        " HAVING max(seq) <> count(*) OR min(seq) <> 1) AS gap"
    )
    return found + ["events_without_gaps"] * gaps


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(steps, min_size=10, max_size=80))
async def test_every_rule_holds_in_any_order(
    pool: Pool, apple: FakeApple, apple_store: AppleStore, taken: list[Step]
) -> None:
    """All at once, so that the real order is Postgres's."""
    of = await party(pool, apple, apple_store)
    await asyncio.gather(*(of.take(step) for step in taken))
    assert await broken(pool) == []
    await only_real_coins_are_payable(pool)
    await what_was_taken_back_is_known(pool)


@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(steps, min_size=3, max_size=15))
async def test_a_refused_request_changes_nothing(
    pool: Pool, apple: FakeApple, apple_store: AppleStore, taken: list[Step]
) -> None:
    """One after the other; the record of a key is all that a refusal leaves."""
    of = await party(pool, apple, apple_store)
    for step in taken:
        before = await everything(pool)
        if not await of.take(step):
            assert await everything(pool) == before
    assert await broken(pool) == []
