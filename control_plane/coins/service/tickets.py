"""Tickets: bought with coins, which are the host's once somebody has watched."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import structlog

from control_plane.base.database import Connection, Pool
from control_plane.base.faults import Collided, Rejected
from control_plane.base.refusals import Empty, Refusal
from control_plane.base.tasks import Loop
from control_plane.coins.model import ledger as rules
from control_plane.coins.model.gifts import check_coins
from control_plane.coins.model.idempotency import RequestKey
from control_plane.coins.model.ledger import Balances
from control_plane.coins.service.idempotency import known, once
from control_plane.coins.service.ledger import Left
from control_plane.coins.store import ledger
from control_plane.events.log import append_user_event
from control_plane.events.model import EventType
from control_plane.live.model.sessions import LiveSession
from control_plane.live.model.tickets import Ticket
from control_plane.live.service.rights import Rights, Whom
from control_plane.live.store import sessions, tickets

log = structlog.get_logger(__name__)

SETTLE_EVERY = 10.0  # seconds
TOGETHER = 500


@dataclass(frozen=True, slots=True)
class Bought:
    """``wallet``: what the buyer had right after it."""

    ticket_id: int
    coins: int
    wallet: int


class Tickets:
    def __init__(
        self, pool: Pool, rights: Rights, *, share_percent: int, unwatched: timedelta
    ) -> None:
        """``unwatched``: how long after the end the buyer may still ask for the coins
        of a ticket that nobody watched with; then they come by themselves."""
        self._unwatched = unwatched
        self._pool = pool
        self._rights = rights
        self._share_percent = share_percent

    async def buy(
        self, user_id: int, session_id: int, price: int, key: RequestKey | None = None
    ) -> Bought:
        """For this session, with all its interruptions; one that is there already is
        the answer, and costs nothing. ``price``: what the buyer was told."""
        bought = await known(self._pool, user_id, key, Bought)
        if bought is not None:
            return bought
        session = await self._for_sale(user_id, session_id, price)

        async def work(connection: Connection, has: Balances) -> Bought:
            held = await tickets.of(connection, session_id, user_id)
            if held is not None:
                return Bought(held.id, held.coins, has.wallet)
            return await _bought(connection, user_id, has, session)

        return await once(self._pool, user_id, key, work, Bought)

    async def refund(
        self, user_id: int, session_id: int, key: RequestKey | None = None
    ) -> int:
        """What the buyer has then. Not once somebody watched with it."""
        before = await known(self._pool, user_id, key, Left)
        if before is not None:
            return before.wallet

        async def work(connection: Connection, has: Balances) -> Left:
            ticket = await tickets.of(connection, session_id, user_id)
            if ticket is None:
                raise Refusal("You have no ticket for this live stream.")
            if ticket.watched:
                raise Refusal("This ticket is used: you have watched with it.")
            entries = await _refund(connection, ticket, has)
            return Left(has.after(user_id, entries).wallet)

        left = await once(self._pool, user_id, key, work, Left)
        await self._rights.end(session_id, Whom(user_id), "no_ticket")
        return left.wallet

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with Loop("tickets", self.settle, SETTLE_EVERY).running():
            yield

    async def settle(self) -> None:
        """Watched ones are paid to their hosts; those for what never began, or that
        nobody watched with, are given back."""
        unsettled = await tickets.to_settle(self._pool, TOGETHER, self._unwatched)
        for ticket in unsettled:
            try:
                await self._settle(ticket)
            except (Rejected, Collided) as error:  # it holds up no other
                log.error("a ticket is not settled", id=ticket.id, error=repr(error))

    async def _settle(self, ticket: Ticket) -> None:
        async with self._pool.transaction() as connection:
            wallets = await ledger.lock(connection, [ticket.user_id, ticket.host_id])
            now = await tickets.get_unsettled(connection, ticket.id)
            if now is not None and now.watched:
                await _use(connection, now, self._share_percent)
            elif now is not None:
                await _refund(connection, now, wallets[now.user_id])

    async def _for_sale(self, user_id: int, session_id: int, price: int) -> LiveSession:
        session = await sessions.get(self._pool, session_id)
        if session is None:
            raise Empty
        if not session.is_open:
            raise Refusal("This live stream has ended.")
        if session.policy != "paid" or session.user_id == user_id:
            raise Refusal("You need no ticket for this live stream.")
        await self._rights.check_not_denied(session, user_id)
        if price != session.ticket_price:
            raise Refusal(f"The ticket costs {session.ticket_price} coins now.")
        return session


async def _bought(
    connection: Connection, user_id: int, has: Balances, session: LiveSession
) -> Bought:
    coins = session.ticket_price
    check_coins(has, coins)
    entries = rules.ticket(user_id, has, coins)
    transfer_id = await ledger.transfer(connection, "ticket", entries)
    ticket_id = await tickets.add(
        connection, session.id, user_id, session.user_id, coins, transfer_id
    )
    ticket = Ticket(
        ticket_id, session.id, user_id, session.user_id, coins, transfer_id, False
    )
    await _say(connection, ticket, "ticket.bought")
    return Bought(ticket_id, coins, has.after(user_id, entries).wallet)


async def _refund(
    connection: Connection, ticket: Ticket, has: Balances
) -> list[rules.Entry]:
    """The entries that undo it."""
    bought = await ledger.entries(connection, ticket.transfer_id, ticket.user_id)
    entries = rules.ticket_refunded(ticket.user_id, has, bought)
    transfer_id = await ledger.transfer(connection, "ticket_refunded", entries)
    await tickets.refunded(connection, ticket.id, transfer_id)
    await _say(connection, ticket, "ticket.refunded")
    return entries


async def _use(connection: Connection, ticket: Ticket, share_percent: int) -> None:
    bought = await ledger.entries(connection, ticket.transfer_id, ticket.user_id)
    entries = rules.ticket_used(ticket.host_id, bought, share_percent)
    transfer_id = ticket.transfer_id  # where all of it was trial coins, and is gone
    if entries:
        transfer_id = await ledger.transfer(connection, "ticket_used", entries)
    await tickets.used(connection, ticket.id, transfer_id)
    await _say(connection, ticket, "ticket.used")


async def _say(connection: Connection, ticket: Ticket, kind: EventType) -> None:
    data = {
        "ticket_id": ticket.id,
        "session_id": ticket.session_id,
        "host_id": ticket.host_id,
        "coin": ticket.coins,
    }
    await append_user_event(connection, ticket.user_id, kind, data)
