"""Tickets for what is live."""

from aiohttp import web

from control_plane.api import own
from control_plane.api.own import OwnAccount, live_name
from control_plane.coins.service.tickets import Tickets
from control_plane.live.service.watching import Watching
from control_plane.web.dispatch import Call, Endpoint
from control_plane.web.envelope import answer
from control_plane.web.snapshots import Json


class TicketsApi:
    def __init__(
        self, tickets: Tickets, watching: Watching, own_account: OwnAccount
    ) -> None:
        self._tickets = tickets
        self._watching = watching
        self._own = own_account

    def endpoints(self) -> dict[str, Endpoint]:
        return {
            "buyTicket": Endpoint(self.buy, limit="money"),
            "refundTicket": Endpoint(self.refund, limit="money"),
        }

    async def buy(self, call: Call) -> web.Response:
        """``{id or name, price}``: the price that the viewer agreed to."""
        session_id = await self._session(call)
        price = call.body.integer("price")
        bought = await self._tickets.buy(call.me.id, session_id, price, own.key(call))
        account = await self._own.of(call, wallet=bought.wallet)
        ticket: Json = {
            "id": bought.ticket_id,
            "live_streaming_id": session_id,
            "user_id": call.me.id,
            "coin": bought.coins,
        }
        return answer(account | {"Ticket": ticket})

    async def refund(self, call: Call) -> web.Response:
        session_id = await self._session(call)
        wallet = await self._tickets.refund(call.me.id, session_id, own.key(call))
        return answer(await self._own.of(call, wallet=wallet))

    async def _session(self, call: Call) -> int:
        found = await self._watching.find(live_name(call.body))
        return found.session.id
