"""Who pays: givers of gifts, and buyers of tickets."""

import contextlib

from control_plane.base.refusals import Empty, Refusal
from control_plane.coins.model.gifts import GiftOrder, SentGift
from control_plane.coins.model.idempotency import request_key
from control_plane.wiring.services import Services
from tests.simulator.node import Denied
from tests.simulator.oracle import Session
from tests.simulator.people import TICKET, Fan, Person

ROSE, PRICE = 1, 10


class Payer(Person):
    """Counts what it should have."""

    coins = 0

    async def _bonus(self, number: int) -> None:
        coins = self.chance.randrange(20, 200)
        await self.insist(
            lambda s: s.coins.ledger.give_bonus(
                self.user.id, coins, "why not", f"bonus-{number}"
            )
        )
        self.coins += coins


class Giver(Payer):
    gave = 0

    async def live(self) -> None:
        await self._bonus(1)
        bonus = 1
        while await self.pause(1.5):
            if self.chance.random() < 0.15:
                bonus += 1
                await self._bonus(bonus)
            session = self.world.some_session()
            if session is not None:
                await self._give(session.id)

    async def _give(self, session_id: int) -> None:
        count = self.chance.randrange(1, 4)
        order = GiftOrder(self.user.id, ROSE, count, session_id=session_id)
        self.gave += 1
        key = request_key(f"gift-{self.gave}", "sendGift", {"to": session_id})

        async def send(s: Services) -> SentGift:
            return await s.coins.gifts.send(order, key)

        try:
            sent = await self.insist(send)
            if self.chance.random() < 0.3:  # a phone that did not see the answer
                again = await self.insist(send)
                self.world.oracle.check(again == sent, f"{again} is not {sent}")
        except Refusal:
            return
        self.coins -= count * PRICE


class Buyer(Payer, Fan):
    """Watches with its tickets, or gives them back."""

    bought: dict[int, int]  # coins, by ticket

    async def live(self) -> None:
        self.bought = {}
        await self._bonus(1)
        number = 0
        while await self.pause(2):
            number += 1
            session = self.world.some_session()
            if session is not None:
                with contextlib.suppress(Refusal, Empty, Denied, OSError):
                    await self._buy(session, f"ticket-{number}")

    async def _buy(self, session: Session, name: str) -> None:
        key = request_key(name, "buyTicket", {"id": session.id})
        bought = await self.insist(
            lambda s: s.tickets.buy(self.user.id, session.id, TICKET, key)
        )
        self.bought[bought.ticket_id] = bought.coins
        if self.chance.random() < 0.6:
            await self._stay(session.node, session.path)
        else:
            await self._give_back(session.id, f"{name} back", bought.ticket_id)

    async def _give_back(self, session_id: int, name: str, ticket_id: int) -> None:
        key = request_key(name, "refundTicket", {"id": session_id})
        await self.insist(lambda s: s.tickets.refund(self.user.id, session_id, key))
        back = ticket_id in self.world.oracle.refunded
        self.world.oracle.check(back, f"ticket {ticket_id} is not given back")

    def count(self) -> None:
        """Also what came back by itself."""
        refunded = self.world.oracle.refunded
        kept = (coins for i, coins in self.bought.items() if i not in refunded)
        self.coins -= sum(kept)
