"""What we believe of what comes from Apple's side."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from control_plane.base.refusals import Unavailable
from control_plane.coins.app_stores.apple import AppleApp, AppleStore
from control_plane.coins.model.money import Money
from control_plane.coins.model.purchases import (
    NotBought,
    Receipt,
    Refunded,
    RefundNotice,
)
from tests.support.app_stores import FakeApple, apple_chain


async def test_a_purchase_is_what_apple_says(
    apple: FakeApple, apple_store: AppleStore
) -> None:
    apple.bought("2000000123456789", quantity=2)
    assert await apple_store.receipt("2000000123456789") == Receipt(
        store="apple",
        environment="production",
        transaction_id="2000000123456789",
        product_id="com.example.app.buy500Coins",
        quantity=2,
        price=Money(499, "EUR"),
    )


async def test_an_answer_that_comes_in_pieces_is_read_whole(
    apple: FakeApple, apple_store: AppleStore
) -> None:
    apple.bought("7")
    apple.in_pieces = True
    assert (await apple_store.receipt("7")).transaction_id == "7"


async def test_a_sandbox_purchase_is_found_and_called_so(
    apple: FakeApple, apple_store: AppleStore
) -> None:
    apple.bought("7", environment="sandbox")
    assert (await apple_store.receipt("7")).environment == "sandbox"


@pytest.mark.parametrize("wrong", ["1", "../../1", "", "1?x", "9" * 40])
async def test_an_unknown_purchase_is_refused(
    apple_store: AppleStore, wrong: str
) -> None:
    with pytest.raises(NotBought):
        await apple_store.receipt(wrong)


@pytest.mark.parametrize(
    "lie",
    [
        {"bundleId": "com.somebody.else"},
        {"environment": "Sandbox"},
        {"transactionId": "8"},
        {"productId": ""},
    ],
)
async def test_a_purchase_of_something_else_is_refused(
    apple: FakeApple, apple_store: AppleStore, lie: dict[str, object]
) -> None:
    said = apple.bought("7")
    said.update(lie)
    with pytest.raises(NotBought):
        await apple_store.receipt("7")


async def test_a_signature_of_another_root_is_refused(
    apple: FakeApple, apple_store: AppleStore
) -> None:
    apple.chain = apple_chain(1)
    apple.bought("7")
    with pytest.raises(NotBought):
        await apple_store.receipt("7")


async def test_a_refunded_purchase_is_refused(
    apple: FakeApple, apple_store: AppleStore
) -> None:
    apple.bought("7", revocationDate=1)
    with pytest.raises(Refunded):
        await apple_store.receipt("7")


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
async def test_a_store_that_cannot_answer_is_no_verdict(
    apple: FakeApple, apple_store: AppleStore, status: int
) -> None:
    apple.bought("7")
    apple.status = status
    with pytest.raises(Unavailable):
        await apple_store.receipt("7")


async def test_a_server_without_a_trusted_certificate_is_no_store(
    apple: FakeApple, apple_app: AppleApp
) -> None:
    apple.bought("7")
    async with aiohttp.ClientSession() as trusting_others:
        with pytest.raises(Unavailable):
            await AppleStore(trusting_others, apple_app).receipt("7")
    assert apple.asked == 0


@pytest.mark.parametrize(
    ("kind", "back"), [("REFUND", True), ("REFUND_REVERSED", False)]
)
async def test_a_notification_tells_of_a_refund(
    apple: FakeApple, apple_store: AppleStore, kind: str, back: bool
) -> None:
    said = apple.bought("7")
    signed = said["signedDate"]
    notification = apple.notification(kind, said, signedDate=signed)
    signed_at = datetime.fromtimestamp(signed / 1000, UTC)
    told = RefundNotice("apple", "7", back, signed_at)
    assert await apple_store.notice(notification) == told


async def test_other_notifications_mean_nothing(
    apple: FakeApple, apple_store: AppleStore
) -> None:
    notification = apple.notification("CONSUMPTION_REQUEST", apple.bought("7"))
    assert await apple_store.notice(notification) is None


@pytest.mark.parametrize("body", [{}, {"signedPayload": 1}, {"signedPayload": "a.b.c"}])
async def test_a_notification_without_a_signature_is_refused(
    apple_store: AppleStore, body: dict[str, object]
) -> None:
    with pytest.raises(NotBought):
        await apple_store.notice(body)


async def test_a_notification_signed_by_somebody_else_is_refused(
    apple_store: AppleStore,
) -> None:
    stranger = FakeApple(chain=apple_chain(1))
    with pytest.raises(NotBought):
        await apple_store.notice(stranger.notification("REFUND", stranger.bought("7")))


async def test_refunds_that_were_never_told_are_read(
    apple: FakeApple, apple_store: AppleStore
) -> None:
    """All pages of both kinds, as far back as Apple keeps them."""
    months_ago = int((datetime.now(UTC) - timedelta(days=170)).timestamp() * 1000)
    apple.remember("REFUND", apple.bought("6"), signedDate=months_ago)
    apple.remember("REFUND", apple.bought("7"), signedDate=months_ago + 1)
    apple.remember("REFUND_REVERSED", apple.bought("7"), signedDate=months_ago + 2)
    apple.remember("CONSUMPTION_REQUEST", apple.bought("8"))
    found = [notice async for notice in apple_store.refunds()]
    assert [(one.transaction_id, one.given_back) for one in found] == [
        ("6", True),
        ("7", True),
        ("7", False),
    ]


async def test_refunds_are_read_from_where_the_last_look_ended(
    apple: FakeApple, apple_store: AppleStore
) -> None:
    """And a day before that again."""
    for _ in range(2):
        assert [notice async for notice in apple_store.refunds()] == []
    first, then = apple.history_asked[0], apple.history_asked[-1]
    day = 24 * 3600 * 1000
    assert first["startDate"] < first["endDate"] - 170 * day
    assert then["startDate"] == first["endDate"] - day


async def test_a_look_that_was_cut_short_is_begun_again(
    apple: FakeApple, apple_store: AppleStore
) -> None:
    apple.status = 503
    with pytest.raises(Unavailable):
        _ = [notice async for notice in apple_store.refunds()]
    apple.status = 200
    _ = [notice async for notice in apple_store.refunds()]
    first = apple.history_asked[0]
    assert first["startDate"] < first["endDate"] - 170 * 24 * 3600 * 1000


async def test_notices_of_another_app_are_counted_and_hold_up_no_other(
    apple: FakeApple, apple_app: AppleApp, http: aiohttp.ClientSession
) -> None:
    """As all are, where the app's id is mistyped."""
    refused: list[str] = []
    store = AppleStore(http, replace(apple_app, app_id=4711), refused.append)
    apple.remember("REFUND", apple.bought("7"))
    with pytest.raises(NotBought):
        await store.notice(apple.notification("REFUND", apple.bought("7")))
    assert refused == ["another_app"]
    for _ in range(2):
        with pytest.raises(NotBought):
            _ = [notice async for notice in store.refunds()]
    assert refused == ["another_app"] * 3
    with pytest.raises(NotBought):
        await store.notice({"signedPayload": "a.b.c"})
    assert refused[-1] == "not_signed"
