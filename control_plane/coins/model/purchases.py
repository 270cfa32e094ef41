"""Buying coins. The app store decides what was bought, never the phone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from control_plane.base.refusals import Refusal
from control_plane.coins.model.money import Money

AppStoreName = Literal["apple", "google", "test"]
Environment = Literal["production", "sandbox", "test"]
PurchaseStatus = Literal["credited", "refunded"]
#: All of a purchase. Shares are in thousandths of a percent: a third is 33333.
WHOLE = 100_000


class NotBought(Refusal):
    """The store does not know this purchase."""


class StillPending(Refusal):
    """The payment is still pending. Your coins come when it is complete."""


class Refunded(Refusal):
    """This purchase was refunded."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A paid purchase as its app store describes it. ``price``: of all pieces, where
    it tells. ``refunded``: the share that was given back already, less than all."""

    store: AppStoreName
    environment: Environment
    transaction_id: str
    product_id: str
    quantity: int
    price: Money | None
    refunded: int = 0


@dataclass(frozen=True, slots=True)
class RefundNotice:
    """``given_back`` False: a refund that the app store took back again.
    ``signed_at``: None for one that is never taken back. ``share``: of the purchase,
    with what was given back before."""

    store: AppStoreName
    transaction_id: str
    given_back: bool = True
    signed_at: datetime | None = None
    share: int = WHOLE


class AppStore(Protocol):
    async def receipt(self, transaction_id: str) -> Receipt:
        """Raises NotBought, StillPending, Refunded, or Unavailable while the app
        store cannot be asked."""


@dataclass(frozen=True, slots=True)
class Package:
    """A row of ``coin_packages``."""

    id: int
    coins: int
    price_minor: int
    currency: str

    @property
    def price(self) -> Money:
        return Money(self.price_minor, self.currency)


@dataclass(frozen=True, slots=True)
class Claim:
    """What the phone says. ``coins`` chooses a package for test purchases only."""

    store: AppStoreName
    transaction_id: str
    title: str = ""
    device: str = ""
    coins: int = 0


@dataclass(frozen=True, slots=True)
class NewPurchase:
    """``trial``: it brought trial coins, as a test purchase, of an app store's sandbox
    or of none at all, does; 0.1.0 credited those as paid."""

    user_id: int
    store: AppStoreName
    environment: Environment
    trial: bool
    transaction_id: str
    product_id: str
    package_id: int
    quantity: int
    coins: int
    price_minor: int
    currency: str
    title: str
    device: str


@dataclass(frozen=True, slots=True)
class Purchase(NewPurchase):
    """A row of ``purchases``. ``refunded_coins``: of its coins, those that were given
    back. ``taken_coins``: of these, taken or owed, as not all of trial coins are."""

    id: int
    status: PurchaseStatus
    refunded_coins: int
    taken_coins: int
    created_at: datetime

    @property
    def price(self) -> Money:
        return Money(self.price_minor, self.currency)


def part_of(coins: int, share: int) -> int:
    """To the nearest coin, as shares are rounded."""
    return (coins * share + WHOLE // 2) // WHOLE


def changes(notice: RefundNotice, purchase: Purchase) -> bool:
    """Not one that says less than what was given back already."""
    if not notice.given_back:
        return purchase.refunded_coins > 0
    return part_of(purchase.coins, notice.share) > purchase.refunded_coins


def new_purchase(
    user_id: int, claim: Claim, receipt: Receipt, package: Package
) -> NewPurchase:
    """Coins and price come from the package and the app store."""
    coins = package.coins * receipt.quantity
    price = receipt.price or Money(
        package.price_minor * receipt.quantity, package.currency
    )
    return NewPurchase(
        user_id=user_id,
        store=receipt.store,
        environment=receipt.environment,
        trial=receipt.environment != "production",
        transaction_id=receipt.transaction_id,
        product_id=receipt.product_id,
        package_id=package.id,
        quantity=receipt.quantity,
        coins=coins,
        price_minor=price.minor,
        currency=price.currency,
        title=claim.title or f"{coins} coins",
        device=claim.device,
    )
