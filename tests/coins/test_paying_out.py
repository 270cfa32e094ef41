"""Payouts: held, then paid or given back."""

import asyncio
import json
from decimal import Decimal

import pytest

from control_plane.base.database import Pool
from control_plane.base.refusals import Empty, Refusal
from control_plane.coins.model.gifts import GiftOrder
from control_plane.coins.model.idempotency import request_key
from control_plane.coins.model.ledger import Balances, purchase, refund
from control_plane.coins.model.money import CoinWorth, Money
from control_plane.coins.model.payouts import ALREADY_REQUESTED
from control_plane.coins.service.gifts import Gifts
from control_plane.coins.service.ledger import Ledger
from control_plane.coins.service.payouts import Payouts
from control_plane.coins.store import ledger
from tests.support.money import ROSE, everything, kinds, new_user

MAIL = "star@example.com"


async def earner(pool: Pool, coins: int = 500, bonus: int = 0) -> int:
    """Somebody who was given roses."""
    fan, star = await new_user(pool, coins), await new_user(pool, bonus)
    gifts = Gifts(pool, share_percent=0, created_sessions=False)
    await gifts.send(GiftOrder(fan, ROSE, coins // 10, star))
    return star


def service(pool: Pool, worth: CoinWorth | None = None) -> Payouts:
    return Payouts(pool, worth or CoinWorth(Decimal("0.01"), "USD"), least_coins=100)


async def test_a_request_holds_the_coins(pool: Pool) -> None:
    star = await earner(pool)
    asked = await service(pool).request(star, 150, MAIL)
    assert (asked.wallet, asked.request.status) == (350, "pending")
    assert asked.request.amount == Money(150, "USD")
    assert (asked.request.method, asked.request.destination) == ("paypal", MAIL)
    assert await ledger.balances(pool, star) == Balances(earnings=350, hold=150)


async def test_it_is_paid(pool: Pool) -> None:
    star = await earner(pool)
    payouts = service(pool)
    asked = await payouts.request(star, 150, MAIL)
    assert (await payouts.decide(asked.request.id, "paid", "ref 1")).status == "paid"
    assert await ledger.balances(pool, star) == Balances(earnings=350)
    events = ["gift.sent", "payout.requested", "payout.paid"]
    assert await kinds(pool, "user", star) == events


async def test_it_is_rejected(pool: Pool) -> None:
    star = await earner(pool)
    payouts = service(pool)
    asked = await payouts.request(star, 150, MAIL)
    await payouts.decide(asked.request.id, "rejected")
    assert await ledger.balances(pool, star) == Balances(earnings=500)
    assert [one.status for one in await payouts.history(star)] == ["rejected"]
    await payouts.request(star, 150, MAIL)


async def test_what_is_rejected_does_not_count_as_received_again(pool: Pool) -> None:
    star = await earner(pool)
    payouts = service(pool)
    asked = await payouts.request(star, 150, MAIL)
    await payouts.decide(asked.request.id, "rejected")
    assert (await Ledger(pool).purse(star)).received == 500


async def test_it_is_decided_once(pool: Pool) -> None:
    star = await earner(pool)
    payouts = service(pool)
    asked = await payouts.request(star, 150, MAIL)
    results = await asyncio.gather(
        *(payouts.decide(asked.request.id, way) for way in ("paid", "rejected") * 3),
        return_exceptions=True,
    )
    assert [str(one) for one in results if isinstance(one, Refusal)] == [
        "It is decided already."
    ] * 5
    with pytest.raises(Empty):
        await payouts.decide(4711, "paid")


async def test_only_one_request_at_a_time(pool: Pool) -> None:
    star = await earner(pool)
    payouts = service(pool)
    results = await asyncio.gather(
        *(payouts.request(star, 100, MAIL) for _ in range(5)), return_exceptions=True
    )
    assert [str(one) for one in results if isinstance(one, Refusal)] == [
        ALREADY_REQUESTED
    ] * 4
    assert await ledger.balances(pool, star) == Balances(earnings=400, hold=100)


async def test_of_the_whole_wallet_the_earned_part_is_paid(pool: Pool) -> None:
    """As Android asks for it."""
    star = await earner(pool, bonus=1000)
    asked = await service(pool).request(star, 1500, MAIL)
    assert (asked.request.coins, asked.wallet) == (500, 1000)
    assert await ledger.balances(pool, star) == Balances(bonus=1000, hold=500)


@pytest.mark.parametrize(
    ("coins", "why"),
    [
        (1501, "not have so many coins"),
        (99, "100 coins or more"),
        (-5, "100 coins or more"),
    ],
)
async def test_it_refuses_too_many_and_too_few(
    pool: Pool, coins: int, why: str
) -> None:
    star = await earner(pool, bonus=1000)
    before = await everything(pool)
    with pytest.raises(Refusal, match=why):
        await service(pool).request(star, coins, MAIL)
    assert await everything(pool) == before


async def test_who_earned_nothing_withdraws_nothing(pool: Pool) -> None:
    with pytest.raises(Refusal, match="that you earned with gifts"):
        await service(pool).request(await new_user(pool, 1000), 1000, MAIL)


async def test_who_earned_less_than_the_least_is_told_how_much(pool: Pool) -> None:
    star = await earner(pool, coins=90, bonus=1000)
    with pytest.raises(Refusal, match="you earned 90 with gifts"):
        await service(pool).request(star, 1000, MAIL)


async def test_who_owes_a_refund_gets_nothing_paid(pool: Pool) -> None:
    star = await earner(pool)
    await _owes(pool, star, 5)
    with pytest.raises(Refusal, match="frozen"):
        await service(pool).request(star, 100, MAIL)


async def _owes(pool: Pool, user_id: int, coins: int) -> None:
    """Somebody's purchase was taken back, and its coins are spent."""
    async with pool.acquire() as connection:
        await ledger.transfer(connection, "refund", refund(user_id, Balances(), coins))


async def test_who_owes_a_refund_since_asking_is_not_paid_until_it_is_made_good(
    pool: Pool,
) -> None:
    star = await earner(pool)
    payouts = service(pool)
    asked = await payouts.request(star, 150, MAIL)
    assert asked.request.owed == 0
    await _owes(pool, star, 500)
    before = await everything(pool)
    with pytest.raises(Refusal, match="frozen"):
        await payouts.decide(asked.request.id, "paid")
    assert await everything(pool) == before
    [listed] = await payouts.listing("pending", 10)
    assert (listed.status, listed.owed) == ("pending", 500)
    async with pool.acquire() as connection:
        has = await ledger.balances(connection, star)
        await ledger.transfer(connection, "purchase", purchase(star, has, 500))
    assert (await payouts.decide(asked.request.id, "paid")).status == "paid"


async def test_much_is_not_approved_either_while_a_refund_is_owed(pool: Pool) -> None:
    star = await earner(pool)
    worth = CoinWorth(Decimal("0.01"), "USD")
    payouts = Payouts(pool, worth, least_coins=100, two_above=100)
    asked = await payouts.request(star, 150, MAIL)
    await _owes(pool, star, 500)
    with pytest.raises(Refusal, match="frozen"):
        await payouts.decide(asked.request.id, "paid")
    assert (await payouts.history(star))[0].approved_by == ""


async def test_a_request_of_who_owes_a_refund_can_be_rejected(pool: Pool) -> None:
    star = await earner(pool)
    payouts = service(pool)
    asked = await payouts.request(star, 150, MAIL)
    await _owes(pool, star, 500)
    decided = await payouts.decide(asked.request.id, "rejected", "owes a refund")
    assert (decided.status, decided.owed) == ("rejected", 500)
    assert await ledger.balances(pool, star) == Balances(earnings=500, owed=-500)


async def test_without_an_address_the_chosen_method_is_used(pool: Pool) -> None:
    star = await earner(pool)
    payouts = service(pool)
    with pytest.raises(Empty):
        await payouts.chosen(star)
    with pytest.raises(Refusal, match="add a payout method"):
        await payouts.request(star, 100, "")
    await payouts.choose(star, "Paypal", "old@example.com")
    await payouts.choose(star, "bank", "IBAN")
    await payouts.choose(star, "Paypal", MAIL)
    assert (await payouts.chosen(star)).value == MAIL
    asked = await payouts.request(star, 100, "")
    assert (asked.request.method, asked.request.destination) == ("Paypal", MAIL)
    said = await pool.fetch(
        "SELECT data::text FROM events WHERE type = 'payout.method_chosen'"
        " AND subject_id = $1 ORDER BY seq",
        star,
    )
    # Where money goes is nobody's business but the user's.
    kinds = ["Paypal", "bank", "Paypal"]
    assert [json.loads(row[0]) for row in said] == [{"type": kind} for kind in kinds]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("Paypal", "star"),
        ("PAYPAL", "star@example.com, other@example.com"),
        ("paypal", "star@nowhere"),
        ("Paypal", "@example.com"),
        ("Paypal", "a" * 250 + "@example.com"),
        ("bank", ""),
        ("bank", "DE89[1A3704"),
        ("bank", "DE89\u202e3704"),
        ("bank", "D" * 255),
        ("ba\nnk", "DE89 3704"),
        ("b" * 41, "DE89 3704"),
        ("", "DE89 3704"),
    ],
)
async def test_money_goes_only_where_it_can_arrive(
    pool: Pool, kind: str, value: str
) -> None:
    star = await new_user(pool)
    with pytest.raises(Refusal):
        await service(pool).choose(star, kind, value)
    with pytest.raises(Empty):
        await service(pool).chosen(star)


async def test_a_request_names_an_address_that_is_one(pool: Pool) -> None:
    star = await earner(pool)
    with pytest.raises(Refusal, match="e-mail address"):
        await service(pool).request(star, 100, "star")
    assert await ledger.balances(pool, star) == Balances(earnings=500)


async def test_the_same_key_asks_once(pool: Pool) -> None:
    star = await earner(pool)
    payouts, key = service(pool), request_key("k", "withdrawRequest", {})
    first = await payouts.request(star, 100, MAIL, key)
    await payouts.decide(first.request.id, "paid")
    again = await payouts.request(star, 100, MAIL, key)
    assert (again.request.id, again.wallet) == (first.request.id, first.wallet)
    assert await ledger.balances(pool, star) == Balances(earnings=400)


@pytest.mark.parametrize(
    ("worth", "minor"),
    [
        (CoinWorth(Decimal("0.01"), "USD"), 199),
        (CoinWorth(Decimal("0.0066"), "USD"), 131),
        (CoinWorth(Decimal(1), "JPY"), 199),
        (CoinWorth(Decimal("0.01"), "KWD"), 1990),
    ],
)
def test_a_payout_is_rounded_down_to_minor_units(worth: CoinWorth, minor: int) -> None:
    assert worth.of(199) == Money(minor, worth.currency)


async def test_less_than_the_smallest_unit_is_refused(pool: Pool) -> None:
    star = await earner(pool)
    payouts = service(pool, CoinWorth(Decimal("0.00001"), "USD"))
    with pytest.raises(Refusal, match="smallest amount"):
        await payouts.request(star, 100, MAIL)
