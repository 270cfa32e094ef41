"""The check of the whole ledger finds what it is there to find."""

import asyncio
import contextlib
from decimal import Decimal

import pytest

from control_plane.base.database import Pool
from control_plane.coins.model.gifts import GiftOrder
from control_plane.coins.model.money import CoinWorth
from control_plane.coins.model.purchases import Claim
from control_plane.coins.service.audit import Audit
from control_plane.coins.service.gifts import Gifts
from control_plane.coins.service.payouts import Payouts
from control_plane.coins.service.purchases import Purchases
from control_plane.coins.store import audit
from tests.support.money import HEART, ROSE, disable_triggers, new_user


async def faults(pool: Pool) -> dict[str, int]:
    """The rules that are broken."""
    return {one.name: one.faults for one in await Audit(pool).check() if one.faults}


@pytest.fixture
async def busy(pool: Pool) -> Pool:
    """A ledger in which everything happened at least once."""
    fan, star = await new_user(pool, 500), await new_user(pool)
    gifts = Gifts(pool, share_percent=30, created_sessions=False)
    await gifts.send(GiftOrder(fan, HEART, 5, star))
    await gifts.send(GiftOrder(fan, ROSE, 1, star))
    shop = Purchases(pool, {}, test_purchases=True, sandbox_purchases=True)
    await shop.buy(fan, Claim("apple", "7", coins=100))
    await gifts.send(GiftOrder(fan, HEART, 1, star))
    payouts = Payouts(pool, CoinWorth(Decimal("0.01"), "USD"), least_coins=1)
    asked = await payouts.request(star, 100, "a@b.c")
    await payouts.decide(asked.request.id, "rejected")
    await payouts.request(star, 50, "a@b.c")
    return pool


async def test_a_right_ledger_has_no_faults(busy: Pool) -> None:
    assert await faults(busy) == {}
    assert len(await Audit(busy).check()) == 9


async def test_all_who_wait_for_a_reading_get_one(pool: Pool) -> None:
    """None older than its question."""
    of_this_one = Audit(pool)
    first = asyncio.create_task(of_this_one.read())
    await asyncio.sleep(0)
    others = [asyncio.create_task(of_this_one.read()) for _ in range(5)]
    readings = {(await task).at for task in others}
    assert len(readings) == 1
    assert readings != {(await first).at}


#: What is changed behind the triggers, and the rule that finds it.
CHANGES = {
    "UPDATE wallets SET bonus = bonus + 1": "balances_equal_entries",
    "UPDATE wallets SET received = received + 1": "balances_equal_entries",
    "UPDATE ledger_entries SET amount = amount * 2": "balances_equal_entries",
    "UPDATE ledger_entries SET amount = amount + 1 WHERE account = 'share'": (
        "transfers_sum_to_zero"
    ),
    "INSERT INTO ledger_transfers (kind) VALUES ('bonus')": "transfers_sum_to_zero",
    "UPDATE ledger_entries SET amount = -99999 WHERE account = 'earnings'": (
        "no_negative_account"
    ),
    "UPDATE ledger_entries SET account = 'earnings' WHERE account = 'trial'": (
        "trial_coins_stay_trial"
    ),
    "UPDATE purchases SET environment = 'production', store = 'apple'": (
        "trial_coins_stay_trial"
    ),
    "DELETE FROM gift_transactions": "gifts_have_transfers",
    "UPDATE gift_transactions SET coins = coins + 1": "gifts_have_transfers",
    "UPDATE gift_transactions SET receiver_id = 999999": "gifts_have_transfers",
    "UPDATE ledger_transfers SET kind = 'gift'": "gifts_have_transfers",
    "UPDATE ledger_transfers SET kind = 'purchase'": "purchases_have_transfers",
    "DELETE FROM withdraw_requests": "holds_equal_requests",
    "UPDATE withdraw_requests SET coins = coins + 1": "holds_equal_requests",
}


class Undone(Exception):
    """Rolls a change back."""


async def test_whatever_is_changed_behind_the_triggers_is_found(
    busy: Pool, owner: Pool
) -> None:
    async with owner.acquire() as connection:
        for change, rule in CHANGES.items():
            with contextlib.suppress(Undone):
                async with connection.transaction():
                    await disable_triggers(connection)
                    await connection.execute(change)
                    found = await audit.faults(connection)
                    raise Undone
            assert [name for name, rows in found.items() if rows and name == rule]
    assert await faults(busy) == {}
