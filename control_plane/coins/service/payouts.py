"""Payouts: earnings wait in a hold until somebody decides."""

from dataclasses import dataclass

import structlog

from control_plane.audit.log import actor, record
from control_plane.base.database import Connection, Pool
from control_plane.base.refusals import Empty, Refusal
from control_plane.coins.model import ledger as rules
from control_plane.coins.model.idempotency import RequestKey
from control_plane.coins.model.ledger import Balances
from control_plane.coins.model.money import CoinWorth
from control_plane.coins.model.payouts import (
    ALREADY_REQUESTED,
    PAYPAL,
    Decision,
    PayoutMethod,
    RequestState,
    WithdrawRequest,
    check_destination,
    check_frozen,
    is_enough,
    payable,
)
from control_plane.coins.service.idempotency import once
from control_plane.coins.service.ledger import Left
from control_plane.coins.store import ledger, payouts
from control_plane.events.log import append_user_event
from control_plane.events.model import EventType

log = structlog.get_logger(__name__)

PAGE = 20  # requests
NEWEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Requested:
    """``wallet``: what the user had right after it."""

    request: WithdrawRequest
    wallet: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What is kept of a request that may be sent twice."""

    request_id: int
    wallet: int


class Payouts:
    def __init__(
        self, pool: Pool, worth: CoinWorth, *, least_coins: int, two_above: int = 0
    ) -> None:
        """``two_above``: for more coins two have to say that they are paid; 0: one."""
        self._pool = pool
        self._least_coins = least_coins
        self._two_above = two_above
        self.worth = worth

    async def choose(
        self, user_id: int, kind: str, value: str, key: RequestKey | None = None
    ) -> PayoutMethod:
        """Where this user's money goes from now on."""
        check_destination(kind, value)

        async def work(connection: Connection, has: Balances) -> Left:
            await payouts.choose_method(connection, user_id, kind, value)
            data = {"type": kind}
            await append_user_event(connection, user_id, "payout.method_chosen", data)
            return Left(has.wallet)

        await once(self._pool, user_id, key, work, Left)
        return await self.chosen(user_id)

    async def chosen(self, user_id: int) -> PayoutMethod:
        """Raises Empty when there is none."""
        found = await payouts.primary_method(self._pool, user_id)
        if found is None:
            raise Empty
        return found

    async def request(
        self, user_id: int, coins: int, email: str, key: RequestKey | None = None
    ) -> Requested:
        """Of ``coins`` those that were earned; the others stay. ``email``: a PayPal
        address; empty: the chosen method. What it brings is our own calculation,
        whatever the app shows."""

        async def work(connection: Connection, has: Balances) -> Asked:
            return await self._request(connection, user_id, has, coins, email)

        asked = await once(self._pool, user_id, key, work, Asked)
        found = await payouts.get(self._pool, asked.request_id)
        if found is None:
            raise Empty
        return Requested(found, asked.wallet)

    async def _request(
        self,
        connection: Connection,
        user_id: int,
        has: Balances,
        coins: int,
        email: str,
    ) -> Asked:
        if await payouts.has_pending(connection, user_id):
            raise Refusal(ALREADY_REQUESTED)
        coins = payable(has, coins, self._least_coins)
        method, destination = await _destination(connection, user_id, email)
        amount = self.worth.of(coins)
        if not amount.minor:
            raise Refusal("This is less than the smallest amount that can be paid.")
        entries = rules.payout_requested(user_id, coins)
        transfer_id = await ledger.transfer(connection, "payout_requested", entries)
        request_id = await payouts.create(
            connection, user_id, coins, amount, method, destination, transfer_id
        )
        data = {"request_id": request_id, "coin": coins}
        await append_user_event(connection, user_id, "payout.requested", data)
        return Asked(request_id, has.after(user_id, entries).wallet)

    async def history(self, user_id: int, page: int = 0) -> list[WithdrawRequest]:
        return await payouts.of_user(self._pool, user_id, PAGE, page * PAGE)

    async def listing(
        self, state: RequestState, limit: int, after: int | None = None
    ) -> list[WithdrawRequest]:
        """The pending ones oldest first, others newest first. ``after``: the id of the
        one before."""
        if state == "pending":
            return await payouts.pending(self._pool, after or 0, limit)
        before = NEWEST if after is None else after
        return await payouts.listing(self._pool, state, before, limit)

    async def decide(
        self, request_id: int, decision: Decision, note: str = ""
    ) -> WithdrawRequest:
        """Still pending when another operator has to agree. Raises Refusal when it is
        decided already, or to be paid while its user owes a refund."""
        found = await payouts.get(self._pool, request_id)
        if found is None:
            raise Empty("There is no such request.")
        async with self._pool.transaction() as connection:
            wallets = await ledger.lock(connection, [found.user_id])
            now = await payouts.get(connection, request_id)
            if now is None or now.status != "pending":
                raise Refusal("It is decided already.")
            if decision == "paid":
                check_frozen(wallets[found.user_id])
            await self._decide(connection, now, decision, note)
        decided = await payouts.get(self._pool, request_id) or found
        log.info("payout decided", request=request_id, status=decided.status)
        return decided

    async def _decide(
        self,
        connection: Connection,
        request: WithdrawRequest,
        decision: Decision,
        note: str,
    ) -> None:
        act, who = f"payout.{decision}", str(actor() or "nobody")
        after = {"coins": request.coins, "note": note}
        if decision == "rejected" or is_enough(request, who, self._two_above):
            await _settle(connection, request, decision, note)
        else:
            act = "payout.approved"
            await payouts.approve(connection, request.id, who)
        before = {"approved_by": request.approved_by}
        subject = f"payout/{request.id}"
        await record(connection, act, subject, before=before, after=after)


async def _destination(
    connection: Connection, user_id: int, email: str
) -> tuple[str, str]:
    if email:
        check_destination(PAYPAL, email)
        return PAYPAL, email
    method = await payouts.primary_method(connection, user_id)
    if method is None:
        raise Refusal("Please add a payout method first.")
    return method.type, method.value


async def _settle(
    connection: Connection, request: WithdrawRequest, decision: Decision, note: str
) -> None:
    user_id, coins = request.user_id, request.coins
    kind: EventType
    if decision == "paid":
        entries, kind = rules.payout_paid(user_id, coins), "payout.paid"
        transfer_id = await ledger.transfer(connection, "payout_paid", entries)
    else:
        entries, kind = rules.payout_rejected(user_id, coins), "payout.rejected"
        transfer_id = await ledger.transfer(connection, "payout_rejected", entries)
    await payouts.decide(connection, request.id, decision, note, transfer_id)
    data = {"request_id": request.id, "coin": coins}
    await append_user_event(connection, user_id, kind, data)
