"""Buying coins, and what refunds take back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from control_plane.audit.log import record
from control_plane.base.brief import Brief
from control_plane.base.database import Connection, Pool
from control_plane.base.refusals import Empty, Refusal
from control_plane.coins.model import ledger as rules
from control_plane.coins.model.idempotency import RequestKey
from control_plane.coins.model.ledger import Balances, Entry
from control_plane.coins.model.purchases import (
    WHOLE,
    AppStore,
    AppStoreName,
    Claim,
    NewPurchase,
    NotBought,
    Package,
    Purchase,
    Receipt,
    Refunded,
    RefundNotice,
    changes,
    new_purchase,
    part_of,
)
from control_plane.coins.service.idempotency import known, once
from control_plane.coins.store import ledger, purchases
from control_plane.events.log import append_user_event

log = structlog.get_logger(__name__)

NOT_SET_UP = "Buying coins is not set up on this server."
SOMEBODY_ELSES = "This purchase belongs to another account."
NEWEST = 2**31 - 1
MOST_UNKNOWN = 10_000  # transactions that an app store did not know


@dataclass(frozen=True, slots=True)
class Bought:
    """``wallet``: what the buyer had right after it."""

    purchase: Purchase
    wallet: int


@dataclass(frozen=True, slots=True)
class Credited:
    """What is kept of a request that may be sent twice."""

    purchase_id: int
    wallet: int


class Purchases:
    def __init__(
        self,
        pool: Pool,
        app_stores: Mapping[AppStoreName, AppStore],
        *,
        test_purchases: bool,
        sandbox_purchases: bool,
        unknown_seconds: float = 60.0,
    ) -> None:
        """``test_purchases``: credit what an app store that is not set up cannot
        confirm. ``sandbox_purchases``: credit the app stores' own test purchases,
        which cost nothing. ``unknown_seconds``: so long none is asked again for what
        it did not know, so that nobody can keep us calling."""
        self._pool = pool
        self._app_stores = app_stores
        self._test_purchases = test_purchases
        self._sandbox_purchases = sandbox_purchases
        self._unknown_seconds = unknown_seconds
        self._unknown: Brief[tuple[AppStoreName, str], bool] = Brief(MOST_UNKNOWN)

    async def packages(self) -> list[Package]:
        """On sale now, the smallest first."""
        return await purchases.packages(self._pool)

    async def listing(
        self, user_id: int, limit: int, before: int | None = None
    ) -> list[Purchase]:
        """Newest first. ``user_id`` 0: everybody's. ``before``: an id."""
        below = NEWEST if before is None else before
        return await purchases.listing(self._pool, user_id, below, limit)

    async def buy(
        self, user_id: int, claim: Claim, key: RequestKey | None = None
    ) -> Bought:
        """Credited once for each of an app store's transactions, however often it is
        claimed."""
        credited = await known(self._pool, user_id, key, Credited)
        if credited is None:
            credited = await self._buy(user_id, claim, key)
        purchase = await purchases.get(self._pool, credited.purchase_id)
        if purchase is None:
            raise Empty
        return Bought(purchase, credited.wallet)

    async def _buy(
        self, user_id: int, claim: Claim, key: RequestKey | None
    ) -> Credited:
        store = self._store_of(claim)
        done = await purchases.find(self._pool, store, claim.transaction_id)
        receipt = None if done else await self._receipt(claim)
        package = None if receipt is None else await self._package(claim, receipt)

        async def work(connection: Connection, has: Balances) -> Credited:
            await purchases.lock_transaction(connection, store, claim.transaction_id)
            done = await purchases.find(connection, store, claim.transaction_id)
            if done is not None:
                if done.user_id != user_id:
                    raise Refusal(SOMEBODY_ELSES)
                if done.status == "refunded":
                    raise Refunded
                return Credited(done.id, has.wallet)
            if receipt is None or package is None:
                raise Empty
            return await _credit(connection, user_id, has, claim, receipt, package)

        return await once(self._pool, user_id, key, work, Credited)

    def _store_of(self, claim: Claim) -> AppStoreName:
        if claim.store in self._app_stores:
            return claim.store
        if not self._test_purchases:
            raise Refusal(NOT_SET_UP)
        return "test"

    async def _receipt(self, claim: Claim) -> Receipt:
        if claim.store not in self._app_stores:
            return Receipt("test", "test", claim.transaction_id, "", 1, None)
        receipt = await self._ask(claim.store, claim.transaction_id)
        if receipt.environment != "production" and not self._sandbox_purchases:
            raise Refusal("Test purchases are not accepted here.")
        return receipt

    async def _ask(self, store: AppStoreName, transaction_id: str) -> Receipt:
        if self._unknown.get((store, transaction_id)):
            raise NotBought
        try:
            return await self._app_stores[store].receipt(transaction_id)
        except NotBought:
            self._unknown.put((store, transaction_id), True, self._unknown_seconds)
            raise

    async def _package(self, claim: Claim, receipt: Receipt) -> Package:
        if receipt.store == "test":
            package = await purchases.package_of_coins(self._pool, claim.coins)
        else:
            product_id = receipt.product_id
            package = await purchases.package_of_product(self._pool, product_id)
        if package is None:
            log.warning("unknown coin product", product=receipt.product_id)
            raise Refusal("There is no such coin package.")
        return package

    async def notice(self, notice: RefundNotice) -> bool:
        """True when it changed something. Safe to repeat, and to get in any order
        where it says when it was signed."""
        for _ in range(3):
            found = await purchases.find(
                self._pool, notice.store, notice.transaction_id
            )
            if found is not None:
                return await self._apply(found, notice)
            if await self._remember(notice):
                return True
        return False

    async def refund(self, purchase_id: int) -> Purchase:
        """An operator's decision. Raises Refusal when it is refunded already."""
        found = await purchases.get(self._pool, purchase_id)
        if found is None:
            raise Empty("There is no such purchase.")
        if not await self._apply(
            found, RefundNotice(found.store, found.transaction_id)
        ):
            raise Refunded("It is refunded already.")
        return await purchases.get(self._pool, purchase_id) or found

    async def _apply(self, purchase: Purchase, notice: RefundNotice) -> bool:
        async with self._pool.transaction() as connection:
            wallets = await ledger.lock(connection, [purchase.user_id])
            now = await purchases.get(connection, purchase.id)
            if now is None or not await _is_news(connection, notice):
                return False
            if not changes(notice, now):
                return False
            has = wallets[purchase.user_id]
            if notice.given_back:
                await _take_back(connection, now, has, notice.share)
            else:
                await _give_again(connection, now, has)
        log.info("refund", purchase=purchase.id, given_back=notice.given_back)
        return True

    async def _remember(self, notice: RefundNotice) -> bool:
        """The phone may tell us of the purchase later. False when it just did."""
        store, transaction_id = notice.store, notice.transaction_id
        async with self._pool.transaction() as connection:
            await purchases.lock_transaction(connection, store, transaction_id)
            if await purchases.find(connection, store, transaction_id):
                return False
            if not await _is_news(connection, notice):
                return True
            if notice.given_back:
                await purchases.note_early_refund(
                    connection, store, transaction_id, notice.share
                )
            else:
                await purchases.forget_early_refund(connection, store, transaction_id)
        return True


async def _is_news(connection: Connection, notice: RefundNotice) -> bool:
    """An app store that may say the opposite later repeats what it said before."""
    if notice.signed_at is None:
        return True
    return await purchases.note_notice(
        connection,
        notice.store,
        notice.transaction_id,
        notice.given_back,
        notice.signed_at,
    )


async def _credit(
    connection: Connection,
    user_id: int,
    has: Balances,
    claim: Claim,
    receipt: Receipt,
    package: Package,
) -> Credited:
    early = await purchases.refunded_early(
        connection, receipt.store, receipt.transaction_id
    )
    refunded = max(early, receipt.refunded)
    if refunded == WHOLE:
        raise Refunded
    new = new_purchase(user_id, claim, receipt, package)
    entries = _given(new, has, new.coins)
    transfer_id = await ledger.transfer(connection, "purchase", entries)
    bought = await purchases.create(connection, new, transfer_id)
    data = {"purchase_id": bought.id, "coin": new.coins, "store": new.store}
    await append_user_event(connection, user_id, "coins.purchased", data)
    has = has.after(user_id, entries)
    if part_of(new.coins, refunded):
        has = await _take_back(connection, bought, has, refunded)
    return Credited(bought.id, has.wallet)


def _given(purchase: NewPurchase, has: Balances, coins: int) -> list[Entry]:
    if purchase.trial:
        return rules.trial_purchase(purchase.user_id, coins)
    return rules.purchase(purchase.user_id, has, coins)


def _taken(purchase: NewPurchase, has: Balances, coins: int) -> list[Entry]:
    if purchase.trial:
        return rules.trial_refund(purchase.user_id, has, coins)
    return rules.refund(purchase.user_id, has, coins)


def _coins(taken: Sequence[Entry]) -> int:
    return sum(entry.amount for entry in taken if entry.account == "clearing")


async def _take_back(
    connection: Connection, purchase: Purchase, has: Balances, share: int
) -> Balances:
    """What its user has then. ``share``: with what was taken back before."""
    user_id, refunded = purchase.user_id, part_of(purchase.coins, share)
    coins = refunded - purchase.refunded_coins
    entries, transfer_id = _taken(purchase, has, coins), None
    if entries:
        transfer_id = await ledger.transfer(connection, "refund", entries)
    taken = purchase.taken_coins + _coins(entries)
    await purchases.make_refunded(connection, purchase.id, refunded, taken, transfer_id)
    has = has.after(user_id, entries)
    data = {"purchase_id": purchase.id, "coin": coins, "owed": -has.owed}
    await append_user_event(connection, user_id, "coins.refunded", data)
    subject = f"purchase/{purchase.id}"
    after = {"user_id": user_id, "coins": coins, "owed": -has.owed}
    await record(connection, "purchase.refunded", subject, after=after)
    return has


async def _give_again(
    connection: Connection, purchase: Purchase, has: Balances
) -> None:
    if purchase.taken_coins:
        entries = _given(purchase, has, purchase.taken_coins)
        await ledger.transfer(connection, "refund_reversed", entries)
    await purchases.make_credited_again(connection, purchase.id)
    data = {"purchase_id": purchase.id, "coin": purchase.refunded_coins}
    await append_user_event(connection, purchase.user_id, "coins.refund_reversed", data)
