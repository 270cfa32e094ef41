"""Gifts: what is on sale, sending them, and who gave and got most."""

from aiohttp import web

from control_plane.api import coin_shapes, own, shapes
from control_plane.api.own import OwnAccount
from control_plane.base.refusals import BadInput, Empty
from control_plane.coins.model.gifts import GiftOrder
from control_plane.coins.service.gifts import Gifts
from control_plane.people.service.profiles import Profiles
from control_plane.web.dispatch import Call, Endpoint
from control_plane.web.envelope import answer
from control_plane.web.snapshots import Json

PERIODS = {"hour": 1, "day": 24, "week": 168, "month": 720}  # hours
YEARS = 24 * 365 * 100


class GiftsApi:
    def __init__(
        self, gifts: Gifts, profiles: Profiles, own_account: OwnAccount
    ) -> None:
        self._gifts = gifts
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
        hours, session_id = _period(call)
        found = await self._gifts.leaders(
            "received", hours=hours, session_id=session_id, page=call.body.page()
        )
        return await self._leaders(call, found)

    async def senders(self, call: Call) -> web.Response:
        hours, session_id = _period(call)
        found = await self._gifts.leaders(
            "sent", hours=hours, session_id=session_id, page=call.body.page()
        )
        return await self._leaders(call, found)

    async def _leaders(self, call: Call, found: list[tuple[int, int]]) -> web.Response:
        viewer = 0 if call.user is None else call.user.id
        profiles = await self._profiles.several(viewer, [one for one, _ in found])
        lines: list[Json] = [
            {"User": shapes.profile(profiles[user_id], viewer), "coin": coins}
            for user_id, coins in found
            if user_id in profiles
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


def _period(call: Call) -> tuple[int, int]:
    """Hours back and, when it is about one live, its id."""
    session_id = call.body.id("live_streaming_id", 0)
    name = call.body.text("type", longest=20).lower()
    if not name:
        return (YEARS if session_id else PERIODS["day"]), session_id
    if name not in PERIODS:
        raise BadInput("type must be hour, day, week or month.")
    return PERIODS[name], session_id
