"""Paying earnings out."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from control_plane.base.refusals import Refusal
from control_plane.coins.model.ledger import Balances
from control_plane.coins.model.money import Money

Decision = Literal["paid", "rejected"]
RequestStatus = Literal["pending", "paid", "rejected"]
RequestState = Literal["pending", "paid", "rejected", "all"]

#: Both apps compare this one; any other refusal opens "add PayPal".
ALREADY_REQUESTED = "You have already requested a payout."

PAYPAL = "paypal"
EMAIL = re.compile(r"[^@\s,;<>\"()]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
LONGEST_KIND, LONGEST_VALUE = 40, 254  # characters


@dataclass(frozen=True, slots=True)
class PayoutMethod:
    """A row of ``payout_methods``: where a user's money goes. ``primary``: the one
    that was chosen last."""

    id: int
    user_id: int
    type: str
    value: str
    created_at: datetime
    primary: bool


@dataclass(frozen=True, slots=True)
class WithdrawRequest:
    """A row of ``withdraw_requests``. ``approved_by``: who said first that it may be
    paid, where two have to. ``owed``: coins that its user owes now."""

    id: int
    user_id: int
    coins: int
    amount_minor: int
    currency: str
    method: str
    destination: str
    status: RequestStatus
    note: str
    approved_by: str
    created_at: datetime
    updated_at: datetime
    owed: int

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


def is_enough(request: WithdrawRequest, who: str, two_above: int) -> bool:
    """Whether it is paid now that this one says so too. ``two_above``: coins; 0: one
    is enough. Raises Refusal for who said so already."""
    if not two_above or request.coins <= two_above:
        return True
    if request.approved_by == who:
        raise Refusal("You approved it already: another operator has to, as well.")
    return request.approved_by != ""


def check_frozen(has: Balances) -> None:
    """Also what waits in the hold: a refund may come after the request. Raises
    Refusal."""
    if has.frozen:
        raise Refusal("Payouts are frozen until a refunded purchase is made good.")


def check_destination(kind: str, value: str) -> None:
    """Somebody has to read it and send money there. Raises Refusal."""
    if not 1 <= len(kind) <= LONGEST_KIND or not kind.isprintable():
        raise Refusal("This is not a kind of payout.")
    if kind.lower() == PAYPAL and not EMAIL.fullmatch(value):
        raise Refusal("This is not an e-mail address.")
    if not 1 <= len(value) <= LONGEST_VALUE or not value.isprintable():
        raise Refusal("The payout's destination must be one line of plain text.")


def payable(has: Balances, asked: int, least: int) -> int:
    """Of what is asked for, the coins that were earned: an app asks for the whole
    wallet. Raises Refusal when they are too few."""
    check_frozen(has)
    if asked < least:
        raise Refusal(f"You can withdraw {least} coins or more.")
    if asked > has.wallet:
        raise Refusal("You do not have so many coins.")
    if not has.earnings:
        raise Refusal("You can only withdraw coins that you earned with gifts.")
    if has.earnings < least:
        earned = f"you earned {has.earnings} with gifts"
        raise Refusal(f"You can withdraw {least} coins or more, and {earned}.")
    return min(asked, has.earnings)
