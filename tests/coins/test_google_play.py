"""What we believe of what comes from Google's side."""

import pytest

from control_plane.base.refusals import Unavailable
from control_plane.coins.app_stores.google import GoogleStore
from control_plane.coins.model.purchases import (
    WHOLE,
    NotBought,
    Receipt,
    Refunded,
    RefundNotice,
    StillPending,
)
from tests.support.app_stores import FakeGoogle


async def test_the_token_alone_names_the_product(
    google: FakeGoogle, google_store: GoogleStore
) -> None:
    google.bought("abc.AO-J1Ow_x")
    assert await google_store.receipt("abc.AO-J1Ow_x") == Receipt(
        store="google",
        environment="production",
        transaction_id="abc.AO-J1Ow_x",
        product_id="buy500coins",
        quantity=1,
        price=None,
    )


async def test_an_access_token_is_used_until_it_expires(
    google: FakeGoogle, google_store: GoogleStore
) -> None:
    google.bought("t")
    for _ in range(3):
        await google_store.receipt("t")
    assert len(google.tokens) == 1


async def test_a_token_that_google_forgot_is_replaced(
    google: FakeGoogle, google_store: GoogleStore
) -> None:
    google.bought("t")
    await google_store.receipt("t")
    google.tokens.clear()
    with pytest.raises(Unavailable):
        await google_store.receipt("t")
    assert (await google_store.receipt("t")).product_id == "buy500coins"


async def test_a_license_testers_purchase_is_called_so(
    google: FakeGoogle, google_store: GoogleStore
) -> None:
    google.bought("t")["testPurchaseContext"] = {"fopType": "TEST"}
    assert (await google_store.receipt("t")).environment == "sandbox"


@pytest.mark.parametrize("wrong", ["nobody", "a/../b", "", "x" * 1001, "a b"])
async def test_an_unknown_purchase_is_refused(
    google_store: GoogleStore, wrong: str
) -> None:
    with pytest.raises(NotBought):
        await google_store.receipt(wrong)


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        ("PENDING", StillPending),
        ("CANCELLED", Refunded),
        ("PURCHASE_STATE_UNSPECIFIED", NotBought),
    ],
)
async def test_only_a_paid_purchase_counts(
    google: FakeGoogle,
    google_store: GoogleStore,
    state: str,
    refusal: type[Exception],
) -> None:
    google.bought("t", state=state)
    with pytest.raises(refusal):
        await google_store.receipt("t")


async def test_what_has_no_piece_left_is_refunded_whatever_it_is_called(
    google: FakeGoogle, google_store: GoogleStore
) -> None:
    said = google.bought("t", quantity=2)
    google.void_pieces("t", 2)
    said["purchaseStateContext"]["purchaseState"] = "PURCHASED"
    with pytest.raises(Refunded):
        await google_store.receipt("t")


async def test_all_pages_of_voided_purchases_are_read(
    google: FakeGoogle, google_store: GoogleStore
) -> None:
    google.voided = ["a", "b", "c"]
    found = [notice async for notice in google_store.voided()]
    assert found == [RefundNotice("google", token) for token in "abc"]


async def test_nothing_voided_is_nothing(google_store: GoogleStore) -> None:
    assert [notice async for notice in google_store.voided()] == []


async def test_how_much_was_refunded_is_what_is_not_refundable_any_more(
    google: FakeGoogle, google_store: GoogleStore
) -> None:
    """A voided purchase names the pieces of one refund; there may be more."""
    for token in ("some", "most", "gone", "all"):
        google.bought(token, quantity=3)
    google.void_pieces("some", 1)
    google.void_pieces("most", 1)
    google.void_pieces("most", 1)
    google.void_pieces("all", 3)
    google.voided_pieces["nobody"] = 1
    google.voided = ["gone"]
    found = [notice async for notice in google_store.voided()]
    shares = {one.transaction_id: one.share for one in found}
    refunded = {"gone": WHOLE, "some": 33_333, "most": 66_667, "all": WHOLE}
    assert shares == refunded | {"nobody": 0}
    assert (await google_store.receipt("most")).refunded == 66_667
