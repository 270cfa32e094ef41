"""Gifts: what is on sale, sending them, and who gave and got most."""

from aiohttp import web

from control_plane.api import coin_shapes, own, shapes
from control_plane.api.own import OwnAccount
from control_plane.base.refusals import BadInput, Empty
from control_plane.coins.model.gifts import GiftOrder
from control_plane.coins.model.leaders import Board, Period, Side
from control_plane.coins.service.gifts import Gifts
from control_plane.coins.service.leaders import LeaderBoards
from control_plane.people.service.profiles import Profiles
from control_plane.web.dispatch import Call, Endpoint
from control_plane.web.envelope import answer
from control_plane.web.snapshots import Json

PERIODS: dict[str, Period] = {
    "hour": "hour",
    "day": "day",
    "week": "week",
    "month": "month",
}


class GiftsApi:
    def __init__(
        self,
        gifts: Gifts,
        boards: LeaderBoards,
        profiles: Profiles,
        own_account: OwnAccount,
    ) -> None:
        self._gifts = gifts
        self._boards = boards
        self._profiles = profiles
        self._own = own_account

    def endpoints(self) -> dict[str, Endpoint]:
        return {
            "showGifts": Endpoint(self.show, "optional"),
            "sendGift": Endpoint(self.send, limit="money"),
            "showUsersAccordingToGiftReceive": Endpoint(self.receivers, "optional"),
            "showUsersAccordingToGiftSent": Endpoint(self.senders, "optional"),
        }

    async def show(self, call: Call) -> web.Response:
        found = await self._gifts.catalogue()
        return answer([{"Gift": coin_shapes.gift(gift, call.files)} for gift in found])

    async def send(self, call: Call) -> web.Response:
        own.check_self(call, "sender_id", "You can only send gifts as yourself.")
        sent = await self._gifts.send(_order(call), own.key(call))
        gift = await self._gifts.get(sent.gift_id)
        account = await self._own.of(call, wallet=sent.wallet)
        return answer(
            account
            | {
                "Gift": coin_shapes.gift(gift, call.files),
                "GiftSend": coin_shapes.sent(sent, gift, call.files),
            }
        )

    async def receivers(self, call: Call) -> web.Response:
        return await self._leaders(call, "received")

    async def senders(self, call: Call) -> web.Response:
        return await self._leaders(call, "sent")

    async def _leaders(self, call: Call, side: Side) -> web.Response:
        found = await self._boards.page(_board(call, side), call.body.page())
        viewer = 0 if call.user is None else call.user.id
        profiles = await self._profiles.several(viewer, [one.user_id for one in found])
        lines: list[Json] = [
            {"User": shapes.profile(profiles[one.user_id], viewer), "coin": one.coins}
            for one in found
            if one.user_id in profiles
        ]
        if not lines:
            raise Empty
        return answer(lines)


def _order(call: Call) -> GiftOrder:
    body = call.body
    order = GiftOrder(
        sender_id=call.me.id,
        gift_id=body.id("gift_id"),
        count=body.integer("gift_count"),
        receiver_id=body.id("receiver_id", 0),
        session_id=body.id("live_streaming_id", 0),
        video_id=body.id("video_id", 0),
    )
    if order.session_id and order.video_id:
        raise BadInput("A gift is for a live or for a video, not for both.")
    if not (order.session_id or order.video_id or order.receiver_id):
        raise BadInput("receiver_id is missing.")
    return order


def _board(call: Call, side: Side) -> Board:
    """Of a whole live, or of the last day, unless the app says otherwise."""
    session_id = call.body.id("live_streaming_id", 0)
    name = call.body.text("type", longest=20).lower()
    if not name:
        return Board(side, None if session_id else "day", session_id)
    if name not in PERIODS:
        raise BadInput("type must be hour, day, week or month.")
    return Board(side, PERIODS[name], session_id)
