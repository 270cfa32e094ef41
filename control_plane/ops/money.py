"""``/v1``: gifts, purchases, payouts and the ledger."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from control_plane.coins.model.audit import Check
from control_plane.coins.model.gifts import GiftRow
from control_plane.coins.model.payouts import (
    Decision,
    RequestState,
    RequestStatus,
    WithdrawRequest,
)
from control_plane.coins.model.purchases import Purchase, PurchaseStatus
from control_plane.coins.service.audit import Audit
from control_plane.coins.service.gifts import Gifts
from control_plane.coins.service.ledger import MOST_BONUS, Ledger
from control_plane.coins.service.payouts import Payouts
from control_plane.coins.service.purchases import Purchases
from control_plane.ops.routes import (
    Because,
    Call,
    Id,
    Nothing,
    One,
    Paged,
    Route,
    Text,
    id_in,
    page_of,
)


class GiftQuery(Paged, kw_only=True):
    session_id: Id | None = None


class GiftPage(Struct, frozen=True):
    gifts: Sequence[GiftRow]
    next: str | None


class PurchaseQuery(Paged, kw_only=True):
    user_id: Id | None = None


class Bought(Struct, frozen=True, kw_only=True):
    """``price``: in units of the currency. ``refunded_coins``: of its coins, those
    that were given back; the status is ``refunded`` once all are."""

    id: int
    status: PurchaseStatus
    user_id: int
    coins: int
    refunded_coins: int
    price: str
    currency: str
    store: str
    environment: str
    product_id: str
    transaction_id: str
    created_at: datetime


class PurchasePage(Struct, frozen=True):
    purchases: list[Bought]
    next: str | None


class PayoutQuery(Paged, kw_only=True):
    """Pending ones come oldest first, others newest first."""

    state: RequestState = "pending"


class Payout(Struct, frozen=True, kw_only=True):
    """``approved_by``: who said first that it may be paid, where two have to.
    ``amount``: in units of the currency. ``owed``: coins that the user owes for
    refunds; nothing is paid before they are made good."""

    id: int
    status: RequestStatus
    user_id: int
    coins: int
    owed: int
    amount: str
    currency: str
    method: str
    destination: str
    note: str
    approved_by: str
    created_at: datetime
    updated_at: datetime


class PayoutPage(Struct, frozen=True):
    payouts: list[Payout]
    next: str | None


class Deciding(Because, forbid_unknown_fields=True, kw_only=True):
    """``note``: kept with the request: the bank's reference, or why not."""

    note: Text = ""


class Bonus(Because, forbid_unknown_fields=True, kw_only=True):
    coins: Annotated[int, Meta(ge=1, le=MOST_BONUS)]


class Given(Struct, frozen=True):
    """``wallet``: the coins that the user has now."""

    wallet: int


class Has(Struct, frozen=True, kw_only=True):
    """``wallet``: what can be spent now. ``owed``: of coins that were taken back and
    had been spent."""

    wallet: int
    trial: int
    bonus: int
    paid: int
    earnings: int
    hold: int
    owed: int
    received: int


class CheckQuery(Struct, forbid_unknown_fields=True, kw_only=True):
    """``latest``: what was read last, by this process, instead of reading it now."""

    latest: bool = False


class Checked(Struct, frozen=True):
    """``faults``: of all checks; zero, always. ``read_at``: how the ledger was then."""

    faults: int
    checks: Sequence[Check]
    read_at: datetime


class MoneyApi:
    def __init__(
        self,
        ledger: Ledger,
        gifts: Gifts,
        purchases: Purchases,
        payouts: Payouts,
        audit: Audit,
    ) -> None:
        self._ledger = ledger
        self._gifts = gifts
        self._purchases = purchases
        self._payouts = payouts
        self._audit = audit

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/v1/gifts", "money", self.gifts),
            Route("GET", "/v1/purchases", "money", self.purchases),
            Route("POST", "/v1/purchases/{id}/refund", "money", self.refund),
            Route("GET", "/v1/payouts", "money", self.payouts),
            Route("POST", "/v1/payouts/{id}/pay", "money", self.pay),
            Route("POST", "/v1/payouts/{id}/reject", "money", self.reject),
            Route("POST", "/v1/users/{id}/bonus", "money", self.bonus),
            Route("GET", "/v1/users/{id}/coins", "money", self.has),
            Route("GET", "/v1/ledger/check", "money", self.check),
        ]

    async def gifts(self, call: Call[GiftQuery, Nothing]) -> GiftPage:
        """List gifts, the newest first."""
        asked = call.params
        found = await self._gifts.sent(
            asked.limit + 1, id_in(asked.after), asked.session_id or 0
        )
        following = page_of(found, asked.limit, lambda one: one.id)
        return GiftPage(found, following)

    async def purchases(self, call: Call[PurchaseQuery, Nothing]) -> PurchasePage:
        """List what was bought, the newest first."""
        asked = call.params
        found = await self._purchases.listing(
            asked.user_id or 0, asked.limit + 1, id_in(asked.after)
        )
        following = page_of(found, asked.limit, lambda one: one.id)
        return PurchasePage([_bought(one) for one in found], following)

    async def refund(self, call: Call[One, Because]) -> Bought:
        """Take a purchase's coins back; what is spent of them is owed."""
        return _bought(await self._purchases.refund(call.params.id))

    async def payouts(self, call: Call[PayoutQuery, Nothing]) -> PayoutPage:
        """List requests for money."""
        asked = call.params
        found = await self._payouts.listing(
            asked.state, asked.limit + 1, id_in(asked.after)
        )
        following = page_of(found, asked.limit, lambda one: one.id)
        return PayoutPage([_payout(one) for one in found], following)

    async def pay(self, call: Call[One, Deciding]) -> Payout:
        """Say that the money was sent; pending still: another operator has to agree."""
        return await self._decide(call, "paid")

    async def reject(self, call: Call[One, Deciding]) -> Payout:
        """Give the coins back."""
        return await self._decide(call, "rejected")

    async def bonus(self, call: Call[One, Bonus]) -> Given:
        """Give coins of ours, which are spent before those that were bought."""
        said = call.body
        wallet = await self._ledger.give_bonus(
            call.params.id, said.coins, said.reason, call.once
        )
        return Given(wallet)

    async def has(self, call: Call[One, Nothing]) -> Has:
        """What a user has, account by account."""
        has = await self._ledger.balances(call.params.id)
        purse = await self._ledger.purse(call.params.id)
        return Has(
            wallet=has.wallet,
            trial=has.trial,
            bonus=has.bonus,
            paid=has.paid,
            earnings=has.earnings,
            hold=has.hold,
            owed=-has.owed,
            received=purse.received,
        )

    async def check(self, call: Call[CheckQuery, Nothing]) -> Checked:
        """Read the whole ledger again, and count what is wrong."""
        audit = self._audit
        found = await (audit.latest() if call.params.latest else audit.read())
        faults = sum(one.faults for one in found.checks)
        return Checked(faults, found.checks, found.at)

    async def _decide(self, call: Call[One, Deciding], decision: Decision) -> Payout:
        found = await self._payouts.decide(call.params.id, decision, call.body.note)
        return _payout(found)


def _bought(one: Purchase) -> Bought:
    return Bought(
        id=one.id,
        status=one.status,
        user_id=one.user_id,
        coins=one.coins,
        refunded_coins=one.refunded_coins,
        price=str(one.price.units),
        currency=one.currency,
        store=one.store,
        environment=one.environment,
        product_id=one.product_id,
        transaction_id=one.transaction_id,
        created_at=one.created_at,
    )


def _payout(one: WithdrawRequest) -> Payout:
    return Payout(
        id=one.id,
        status=one.status,
        user_id=one.user_id,
        coins=one.coins,
        owed=one.owed,
        amount=str(one.amount.units),
        currency=one.currency,
        method=one.method,
        destination=one.destination,
        note=one.note,
        approved_by=one.approved_by,
        created_at=one.created_at,
        updated_at=one.updated_at,
    )
