"""Buying coins, and refunds."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from control_plane.base.database import Pool
from control_plane.base.refusals import Refusal, Unavailable
from control_plane.coins.app_stores.apple import AppleStore
from control_plane.coins.app_stores.google import GoogleStore
from control_plane.coins.model.gifts import GiftOrder
from control_plane.coins.model.idempotency import ANOTHER_REQUEST, request_key
from control_plane.coins.model.ledger import Balances
from control_plane.coins.model.purchases import (
    AppStore,
    AppStoreName,
    Claim,
    NotBought,
    Refunded,
    RefundNotice,
)
from control_plane.coins.service.audit import Audit
from control_plane.coins.service.gifts import Gifts
from control_plane.coins.service.ledger import Ledger
from control_plane.coins.service.purchases import NOT_SET_UP, SOMEBODY_ELSES, Purchases
from control_plane.coins.service.voided import VoidedPoll
from control_plane.coins.store import ledger
from tests.support.app_stores import FakeApple, FakeGoogle
from tests.support.money import ROSE, everything, kinds, new_user
from tests.support.stack import until

APPLE = Claim("apple", "7", title="500 coins", device="iOS", coins=999_999)
BACK = RefundNotice("apple", "7")
REVERSED = RefundNotice("apple", "7", given_back=False)
SIGNED = datetime(2026, 11, 1, tzinfo=UTC)
FIRST = replace(BACK, signed_at=SIGNED)
THEN = replace(REVERSED, signed_at=SIGNED + timedelta(milliseconds=1))


@pytest.fixture
def shop(pool: Pool, apple_store: AppleStore, google_store: GoogleStore) -> Purchases:
    app_stores: dict[AppStoreName, AppStore] = {
        "apple": apple_store,
        "google": google_store,
    }
    return Purchases(pool, app_stores, test_purchases=False, sandbox_purchases=False)


def unconfigured(pool: Pool, *, test_purchases: bool) -> Purchases:
    return Purchases(
        pool, {}, test_purchases=test_purchases, sandbox_purchases=test_purchases
    )


async def test_the_package_decides_how_many_coins(
    pool: Pool, apple: FakeApple, shop: Purchases
) -> None:
    fan = await new_user(pool)
    apple.bought("7")
    bought = await shop.buy(fan, APPLE)
    assert (bought.wallet, bought.purchase.coins) == (500, 500)
    assert (bought.purchase.price_minor, bought.purchase.currency) == (499, "EUR")
    assert await ledger.balances(pool, fan) == Balances(paid=500)
    assert await kinds(pool, "user", fan) == ["coins.purchased"]


async def test_two_of_a_package_are_twice_its_coins(
    pool: Pool, apple: FakeApple, shop: Purchases
) -> None:
    apple.bought("7", quantity=2)
    assert (await shop.buy(await new_user(pool), APPLE)).wallet == 1000


async def test_google_names_the_product_by_the_token(
    pool: Pool, google: FakeGoogle, shop: Purchases
) -> None:
    google.bought("token", "buy2000coins")
    bought = await shop.buy(await new_user(pool), Claim("google", "token"))
    assert (bought.wallet, bought.purchase.title) == (2000, "2000 coins")


async def test_a_product_may_be_mapped_to_a_package(
    pool: Pool, google: FakeGoogle, shop: Purchases
) -> None:
    await pool.execute("INSERT INTO coin_products VALUES ('big.sack', 5)")
    google.bought("token", "Big.Sack")
    assert (await shop.buy(await new_user(pool), Claim("google", "token"))).wallet == (
        10_000
    )


async def test_a_transaction_is_credited_once(
    pool: Pool, apple: FakeApple, shop: Purchases
) -> None:
    fan = await new_user(pool)
    apple.bought("7")
    together = await asyncio.gather(*(shop.buy(fan, APPLE) for _ in range(8)))
    assert {(one.purchase.id, one.wallet) for one in together} == {
        (together[0].purchase.id, 500)
    }
    apple.status = 500  # what we know already needs no store
    assert (await shop.buy(fan, APPLE)).wallet == 500


async def test_somebody_elses_transaction_is_refused(
    pool: Pool, apple: FakeApple, shop: Purchases
) -> None:
    users = [await new_user(pool) for _ in range(5)]
    apple.bought("7")
    results = await asyncio.gather(
        *(shop.buy(user, APPLE) for user in users), return_exceptions=True
    )
    refusals = [str(one) for one in results if isinstance(one, Refusal)]
    assert refusals == [SOMEBODY_ELSES] * 4
    assert sum((await Ledger(pool).wallets(users)).values()) == 500


async def test_a_key_counts_once_and_for_one_request(
    pool: Pool, apple: FakeApple, shop: Purchases
) -> None:
    fan = await new_user(pool)
    apple.bought("7")
    key = request_key("k", "purchaseCoin", {"transaction_id": "7"})
    first = await shop.buy(fan, APPLE, key)
    await shop.buy(fan, Claim("apple", "7"))
    assert await shop.buy(fan, APPLE, key) == first
    other = request_key("k", "purchaseCoin", {"transaction_id": "8"})
    with pytest.raises(Refusal, match=ANOTHER_REQUEST):
        await shop.buy(fan, Claim("apple", "8"), other)


async def test_what_the_store_does_not_know_is_refused(
    pool: Pool, shop: Purchases
) -> None:
    fan = await new_user(pool)
    before = await everything(pool)
    for claim in (APPLE, Claim("google", "token")):
        with pytest.raises(NotBought):
            await shop.buy(fan, claim)
    assert await everything(pool) == before


async def test_an_unknown_transaction_is_asked_for_once(
    pool: Pool, apple: FakeApple, google: FakeGoogle, shop: Purchases
) -> None:
    """However often, and by whomever; it costs a call to each of Apple's places."""
    for _ in range(5):
        fan = await new_user(pool)
        for claim in (APPLE, Claim("google", "token")):
            with pytest.raises(NotBought):
                await shop.buy(fan, claim)
    assert (apple.asked, google.asked) == (2, 1)


async def test_a_transaction_that_was_unknown_is_asked_for_again_later(
    pool: Pool, apple: FakeApple, apple_store: AppleStore
) -> None:
    shop = Purchases(
        pool,
        {"apple": apple_store},
        test_purchases=False,
        sandbox_purchases=False,
        unknown_seconds=0.01,
    )
    fan = await new_user(pool)
    with pytest.raises(NotBought):
        await shop.buy(fan, APPLE)
    apple.bought("7")

    async def bought() -> bool:
        try:
            return (await shop.buy(fan, APPLE)).wallet == 500
        except NotBought:
            return False

    await until(bought, pause=0.01)


async def test_a_store_that_is_away_can_be_asked_again(
    pool: Pool, apple: FakeApple, shop: Purchases
) -> None:
    fan = await new_user(pool)
    apple.bought("7")
    apple.status = 503
    key = request_key("k", "purchaseCoin", {})
    with pytest.raises(Unavailable):
        await shop.buy(fan, APPLE, key)
    apple.status = 200
    assert (await shop.buy(fan, APPLE, key)).wallet == 500


async def test_an_unknown_product_is_refused(
    pool: Pool, apple: FakeApple, shop: Purchases
) -> None:
    apple.bought("7", "com.example.app.hat")
    with pytest.raises(Refusal, match="no such coin package"):
        await shop.buy(await new_user(pool), APPLE)


async def test_the_stores_own_test_purchases_cost_nothing_and_are_refused(
    pool: Pool, apple: FakeApple, google: FakeGoogle, shop: Purchases
) -> None:
    fan = await new_user(pool)
    apple.bought("7", environment="sandbox")
    google.bought("token")["testPurchaseContext"] = {}
    for claim in (APPLE, Claim("google", "token")):
        with pytest.raises(Refusal, match="Test purchases"):
            await shop.buy(fan, claim)


async def test_without_a_store_production_refuses(pool: Pool) -> None:
    fan = await new_user(pool)
    shop = unconfigured(pool, test_purchases=False)
    with pytest.raises(Refusal, match=NOT_SET_UP):
        await shop.buy(fan, Claim("apple", "7", coins=500))


async def test_without_a_store_development_credits_a_marked_test_purchase(
    pool: Pool,
) -> None:
    fan = await new_user(pool)
    shop = unconfigured(pool, test_purchases=True)
    bought = await shop.buy(fan, Claim("google", "any", coins=500))
    assert (bought.wallet, bought.purchase.store) == (500, "test")
    assert bought.purchase.environment == "test"
    with pytest.raises(Refusal, match="no such coin package"):
        await shop.buy(fan, Claim("google", "more", coins=501))


async def test_a_refund_takes_the_paid_coins(
    pool: Pool, apple: FakeApple, shop: Purchases
) -> None:
    fan = await new_user(pool, 30)
    apple.bought("7")
    await shop.buy(fan, APPLE)
    changed = await asyncio.gather(*(shop.notice(BACK) for _ in range(4)))
    assert sorted(changed) == [False, False, False, True]
    assert await ledger.balances(pool, fan) == Balances(bonus=30)
    assert await kinds(pool, "user", fan) == ["coins.purchased", "coins.refunded"]
    with pytest.raises(Refunded):
        await shop.buy(fan, APPLE)


async def test_what_is_spent_is_owed_and_made_good_first(
    pool: Pool, apple: FakeApple, shop: Purchases
) -> None:
    fan, star = await new_user(pool), await new_user(pool)
    apple.bought("7")
    apple.bought("8", "buy100Coins")
    apple.bought("9")
    await shop.buy(fan, APPLE)
    gifts = Gifts(pool, share_percent=0, created_sessions=False)
    await gifts.send(GiftOrder(fan, ROSE, 40, star))
    await shop.notice(BACK)
    assert await ledger.balances(pool, fan) == Balances(owed=-400)
    assert await Ledger(pool).wallet(star) == 400
    await shop.buy(fan, Claim("apple", "8"))
    assert await ledger.balances(pool, fan) == Balances(owed=-300)
    await shop.buy(fan, Claim("apple", "9"))
    assert await ledger.balances(pool, fan) == Balances(paid=200)


async def test_a_refund_that_apple_reverses_gives_the_coins_again(
    pool: Pool, apple: FakeApple, shop: Purchases
) -> None:
    fan = await new_user(pool)
    apple.bought("7")
    await shop.buy(fan, APPLE)
    for _ in range(2):
        assert await shop.notice(BACK)
        assert await shop.notice(REVERSED)
        assert not await shop.notice(REVERSED)
        assert await ledger.balances(pool, fan) == Balances(paid=500)


async def test_what_apple_said_before_changes_nothing(
    pool: Pool, apple: FakeApple, shop: Purchases
) -> None:
    """It sends again what it has no answer to, as it was signed then."""
    fan = await new_user(pool)
    apple.bought("7")
    await shop.buy(fan, APPLE)
    told = [await shop.notice(one) for one in (FIRST, FIRST, THEN, FIRST, THEN)]
    assert told == [True, False, True, False, False]
    assert await ledger.balances(pool, fan) == Balances(paid=500)
    again = replace(BACK, signed_at=SIGNED + timedelta(days=1))
    assert await shop.notice(again)
    assert not await shop.notice(THEN)
    assert await ledger.balances(pool, fan) == Balances()


async def test_a_refund_that_comes_after_its_reversal_changes_nothing(
    pool: Pool, apple: FakeApple, shop: Purchases
) -> None:
    fan = await new_user(pool)
    apple.bought("7")
    await shop.buy(fan, APPLE)
    assert not await shop.notice(THEN)
    assert not await shop.notice(FIRST)
    assert await ledger.balances(pool, fan) == Balances(paid=500)


async def test_a_refund_and_its_reversal_at_the_same_moment(
    pool: Pool, apple: FakeApple, shop: Purchases
) -> None:
    """Whichever comes first, the newer one stands."""
    for number in range(10):
        fan, transaction = await new_user(pool), str(number)
        apple.bought(transaction)
        both = [replace(one, transaction_id=transaction) for one in (FIRST, THEN)]
        claim = Claim("apple", transaction)
        if number % 2:
            await shop.buy(fan, claim)
        await asyncio.gather(*(shop.notice(one) for one in both * 2))
        assert (await shop.buy(fan, claim)).wallet == 500


async def test_a_reversal_that_is_sent_again_undoes_no_operators_refund(
    pool: Pool, apple: FakeApple, shop: Purchases
) -> None:
    fan = await new_user(pool)
    apple.bought("7")
    bought = await shop.buy(fan, APPLE)
    for one in (FIRST, THEN):
        await shop.notice(one)
    await shop.refund(bought.purchase.id)
    assert not await shop.notice(THEN)
    assert await ledger.balances(pool, fan) == Balances()


async def told(
    apple: FakeApple, store: AppleStore, shop: Purchases, thousandths: int | None
) -> bool:
    """What Apple's notice of a refund changed. ``thousandths``: of a percent of the
    purchase; None: Apple does not say, as it was all of it."""
    said = apple.bought("7", quantity=3, revocationDate=1)
    if thousandths is not None:
        said["revocationPercentage"] = thousandths
    notice = await store.notice(apple.notification("REFUND", said))
    assert notice is not None
    return await shop.notice(notice)


async def test_of_three_packages_those_are_taken_back_that_were_refunded(
    pool: Pool, apple: FakeApple, apple_store: AppleStore, shop: Purchases
) -> None:
    fan = await new_user(pool)
    apple.bought("7", quantity=3)
    await shop.buy(fan, APPLE)
    shares = (33_333, 33_333, 66_667, 33_333, None, 66_667)
    left, statuses = [], []
    for share in shares:
        await told(apple, apple_store, shop, share)
        left.append(await Ledger(pool).wallet(fan))
        [bought] = await shop.listing(fan, 1)
        statuses.append((bought.status, bought.refunded_coins))
    assert left == [1000, 1000, 500, 500, 0, 0]
    part, more, all_of_it = [
        ("credited", 500),
        ("credited", 1000),
        ("refunded", 1500),
    ]
    assert statuses == [part, part, more, more, all_of_it, all_of_it]
    events = await kinds(pool, "user", fan)
    assert events == ["coins.purchased", *["coins.refunded"] * 3]
    assert not [one for one in await Audit(pool).check() if one.faults]


async def test_a_part_that_is_spent_is_owed(
    pool: Pool, apple: FakeApple, apple_store: AppleStore, shop: Purchases
) -> None:
    fan, star = await new_user(pool), await new_user(pool)
    apple.bought("7", quantity=3)
    await shop.buy(fan, APPLE)
    gifts = Gifts(pool, share_percent=0, created_sessions=False)
    await gifts.send(GiftOrder(fan, ROSE, 120, star))
    await told(apple, apple_store, shop, 33_333)
    assert await ledger.balances(pool, fan) == Balances(owed=-200)


async def test_a_reversal_gives_back_the_part_that_was_taken(
    pool: Pool, apple: FakeApple, apple_store: AppleStore, shop: Purchases
) -> None:
    fan = await new_user(pool)
    apple.bought("7", quantity=3)
    await shop.buy(fan, APPLE)
    await told(apple, apple_store, shop, 33_333)
    assert await shop.notice(REVERSED)
    assert not await shop.notice(REVERSED)
    assert await ledger.balances(pool, fan) == Balances(paid=1500)
    assert await told(apple, apple_store, shop, 33_333)
    assert await ledger.balances(pool, fan) == Balances(paid=1000)


async def test_an_operator_takes_back_what_the_store_left(
    pool: Pool, apple: FakeApple, apple_store: AppleStore, shop: Purchases
) -> None:
    fan = await new_user(pool)
    apple.bought("7", quantity=3)
    bought = await shop.buy(fan, APPLE)
    await told(apple, apple_store, shop, 33_333)
    assert (await shop.refund(bought.purchase.id)).status == "refunded"
    assert await ledger.balances(pool, fan) == Balances()
    assert not await told(apple, apple_store, shop, 66_667)


@pytest.mark.parametrize("told_first", [True, False])
async def test_of_a_purchase_that_was_refunded_in_part_the_rest_is_credited(
    pool: Pool,
    apple: FakeApple,
    apple_store: AppleStore,
    shop: Purchases,
    told_first: bool,
) -> None:
    fan = await new_user(pool)
    apple.bought("7", quantity=3, revocationDate=1, revocationPercentage=33_333)
    if told_first:
        await told(apple, apple_store, shop, 66_667)
    bought = await shop.buy(fan, APPLE)
    refunded = 1000 if told_first else 500
    assert bought.purchase.refunded_coins == refunded
    assert bought.wallet == await Ledger(pool).wallet(fan) == 1500 - refunded
    events = await kinds(pool, "user", fan)
    assert events == ["coins.purchased", "coins.refunded"]


async def test_of_three_pieces_google_takes_one_after_the_other_back(
    pool: Pool, google: FakeGoogle, google_store: GoogleStore, shop: Purchases
) -> None:
    fan = await new_user(pool)
    google.bought("token", quantity=3)
    await shop.buy(fan, Claim("google", "token"))
    poll = VoidedPoll("google", google_store.voided, shop.notice, 1)
    left = []
    for _ in range(3):
        google.void_pieces("token", 1)
        await poll.look()
        assert await poll.look() == 0
        left.append(await Ledger(pool).wallet(fan))
    assert left == [1000, 500, 0]
    assert [one.status for one in await shop.listing(fan, 1)] == ["refunded"]


async def test_a_refund_may_be_told_before_the_purchase(
    pool: Pool, apple: FakeApple, shop: Purchases
) -> None:
    fan = await new_user(pool)
    apple.bought("7")
    await shop.notice(BACK)
    with pytest.raises(Refunded):
        await shop.buy(fan, APPLE)
    await shop.notice(REVERSED)
    assert (await shop.buy(fan, APPLE)).wallet == 500


async def test_before_the_purchase_too_what_was_said_last_stands(
    pool: Pool, apple: FakeApple, shop: Purchases
) -> None:
    fan = await new_user(pool)
    apple.bought("7")
    for one in (FIRST, THEN, FIRST):
        await shop.notice(one)
    assert (await shop.buy(fan, APPLE)).wallet == 500
    assert not await shop.notice(FIRST)
    assert await ledger.balances(pool, fan) == Balances(paid=500)


async def test_a_refund_and_its_purchase_at_the_same_moment(
    pool: Pool, apple: FakeApple, shop: Purchases
) -> None:
    """Whoever is first, no coins are left."""
    for number in range(10):
        fan, transaction = await new_user(pool), str(number)
        apple.bought(transaction)
        await asyncio.gather(
            shop.buy(fan, Claim("apple", transaction)),
            shop.notice(RefundNotice("apple", transaction)),
            return_exceptions=True,
        )
        assert await Ledger(pool).wallet(fan) == 0


async def test_an_operator_refunds_once(
    pool: Pool, apple: FakeApple, shop: Purchases
) -> None:
    fan = await new_user(pool)
    apple.bought("7")
    bought = await shop.buy(fan, APPLE)
    assert (await shop.refund(bought.purchase.id)).status == "refunded"
    with pytest.raises(Refusal, match="already"):
        await shop.refund(bought.purchase.id)
    with pytest.raises(Refusal, match="no such purchase"):
        await shop.refund(4711)
