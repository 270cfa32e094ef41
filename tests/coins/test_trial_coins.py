"""Coins of test purchases: they cost nothing, so nobody is ever paid for them."""

from dataclasses import replace
from decimal import Decimal

import pytest

from control_plane.base.database import Pool
from control_plane.base.faults import Rejected
from control_plane.base.refusals import Refusal
from control_plane.coins.app_stores.apple import AppleStore
from control_plane.coins.model.gifts import GiftOrder
from control_plane.coins.model.ledger import Account, Balances, Entry, refund
from control_plane.coins.model.money import CoinWorth
from control_plane.coins.model.purchases import Claim, RefundNotice
from control_plane.coins.service.audit import Audit
from control_plane.coins.service.gifts import Gifts
from control_plane.coins.service.ledger import Ledger
from control_plane.coins.service.payouts import Payouts
from control_plane.coins.service.purchases import Purchases
from control_plane.coins.store import ledger
from tests.support.app_stores import FakeApple
from tests.support.money import DIAMOND, HEART, ROSE, new_user

MAIL = "star@example.com"
SANDBOX, REAL = Claim("apple", "7"), Claim("apple", "8")  # 500 coins each


@pytest.fixture
def shop(pool: Pool, apple: FakeApple, apple_store: AppleStore) -> Purchases:
    """As it is while an app's reviewers try to buy."""
    apple.bought(SANDBOX.transaction_id, environment="sandbox")
    apple.bought(REAL.transaction_id)
    return Purchases(
        pool, {"apple": apple_store}, test_purchases=False, sandbox_purchases=True
    )


def giving(pool: Pool, share: int = 0) -> Gifts:
    return Gifts(pool, share_percent=share, created_sessions=False)


def paying(pool: Pool) -> Payouts:
    return Payouts(pool, CoinWorth(Decimal("0.01"), "USD"), least_coins=1)


async def test_a_sandbox_purchase_can_be_given_and_is_never_paid_out(
    pool: Pool, shop: Purchases
) -> None:
    fan, star, other = [await new_user(pool) for _ in range(3)]
    assert (await shop.buy(fan, SANDBOX)).wallet == 500
    await giving(pool).send(GiftOrder(fan, HEART, 10, star))
    assert await Ledger(pool).wallets([fan, star]) == {fan: 0, star: 500}
    assert (await Ledger(pool).purse(star)).received == 500
    for coins in (1, 500):
        with pytest.raises(Refusal, match="earned"):
            await paying(pool).request(star, coins, MAIL)
    await giving(pool).send(GiftOrder(star, HEART, 10, other))
    with pytest.raises(Refusal, match="earned"):
        await paying(pool).request(other, 500, MAIL)


async def test_a_real_purchase_that_was_given_is_paid_out(
    pool: Pool, shop: Purchases
) -> None:
    fan, star = await new_user(pool), await new_user(pool)
    await shop.buy(fan, REAL)
    await giving(pool).send(GiftOrder(fan, HEART, 10, star))
    asked = await paying(pool).request(star, 500, MAIL)
    assert (asked.request.coins, asked.wallet) == (500, 0)


async def test_of_a_gift_of_both_the_real_part_is_earned(
    pool: Pool, shop: Purchases
) -> None:
    fan, star = await new_user(pool), await new_user(pool)
    await shop.buy(fan, SANDBOX)
    await shop.buy(fan, REAL)
    await giving(pool, share=33).send(GiftOrder(fan, ROSE, 60, star))
    assert await ledger.balances(pool, fan) == Balances(paid=400)
    # 33 % of 600 are 198, and 33 of them are of the real coins.
    assert await ledger.balances(pool, star) == Balances(trial=335, earnings=67)
    share = "SELECT sum(amount) FROM ledger_entries WHERE account = 'share'"
    assert await pool.fetchval(share) == 33
    assert not [one for one in await Audit(pool).check() if one.faults]


async def test_a_refunded_test_purchase_takes_no_real_coins(
    pool: Pool, shop: Purchases
) -> None:
    fan, star = await new_user(pool), await new_user(pool)
    await shop.buy(fan, SANDBOX)
    await shop.buy(fan, REAL)
    await giving(pool).send(GiftOrder(fan, ROSE, 40, star))
    assert await shop.notice(RefundNotice("apple", SANDBOX.transaction_id))
    assert await ledger.balances(pool, fan) == Balances(paid=500)
    assert await ledger.balances(pool, star) == Balances(trial=400)


async def test_of_a_spent_test_purchase_nothing_is_owed(
    pool: Pool, shop: Purchases
) -> None:
    fan, star = await new_user(pool), await new_user(pool)
    bought = await shop.buy(fan, SANDBOX)
    await giving(pool).send(GiftOrder(fan, HEART, 10, star))
    assert (await shop.refund(bought.purchase.id)).status == "refunded"
    assert await ledger.balances(pool, fan) == Balances()
    assert not [one for one in await Audit(pool).check() if one.faults]


async def test_of_a_test_purchase_a_reversal_gives_back_what_was_taken(
    pool: Pool, shop: Purchases
) -> None:
    fan, star = await new_user(pool), await new_user(pool)
    await shop.buy(fan, SANDBOX)
    await giving(pool).send(GiftOrder(fan, ROSE, 40, star))
    back = RefundNotice("apple", SANDBOX.transaction_id)
    for _ in range(2):
        assert await shop.notice(back)
        assert await shop.notice(replace(back, given_back=False))
        assert await ledger.balances(pool, fan) == Balances(trial=100)
    await giving(pool).send(GiftOrder(fan, ROSE, 10, star))
    assert await shop.notice(back)
    assert await shop.notice(replace(back, given_back=False))
    assert await ledger.balances(pool, fan) == Balances()
    assert not [one for one in await Audit(pool).check() if one.faults]


async def test_a_test_purchase_makes_no_debt_good(pool: Pool, shop: Purchases) -> None:
    fan, star = await new_user(pool), await new_user(pool)
    async with pool.acquire() as connection:
        await ledger.transfer(connection, "refund", refund(fan, Balances(), 100))
    await shop.buy(fan, SANDBOX)
    assert await ledger.balances(pool, fan) == Balances(trial=500, owed=-100)
    with pytest.raises(Refusal, match="frozen"):
        await giving(pool).send(GiftOrder(fan, ROSE, 1, star))


async def test_too_few_coins_are_too_few_of_any_kind(
    pool: Pool, shop: Purchases
) -> None:
    fan, star = await new_user(pool, 499), await new_user(pool)
    await shop.buy(fan, SANDBOX)
    with pytest.raises(Refusal, match="not have enough coins"):
        await giving(pool).send(GiftOrder(fan, DIAMOND, 1, star))


@pytest.mark.parametrize("account", ["earnings", "paid", "bonus", "hold"])
async def test_the_database_lets_trial_coins_become_no_others(
    pool: Pool, shop: Purchases, account: Account
) -> None:
    fan, star = await new_user(pool), await new_user(pool)
    await shop.buy(fan, SANDBOX)
    moved = [Entry("trial", fan, -5), Entry(account, star, 5)]
    async with pool.acquire() as connection:
        with pytest.raises(Rejected, match="trial coins"):
            await ledger.transfer(connection, "gift", moved)
