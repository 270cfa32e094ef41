"""Gifts: what is on sale, what is asked for, and whether it may be."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime

from control_plane.base.refusals import Empty, Refusal
from control_plane.coins.model.ledger import Balances
from control_plane.live.model.sessions import LiveSession

MOST = 999  # pieces at once

#: The Android app compares this one.
TOO_FEW_COINS = "You do not have enough coins to send gift"
FROZEN = "Your coins are frozen until a refunded purchase is made good."


@dataclass(frozen=True, slots=True)
class Gift:
    """A row of ``gifts``. ``coins``: of one piece. ``time``: of the animation, s."""

    id: int
    title: str
    coins: int
    image: str
    icon: str
    type: str
    featured: bool
    time: int
    position: str
    on_sale: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class GiftOrder:
    """At most one of session and video; 0: none. Without a receiver it goes to
    whose session or video it is."""

    sender_id: int
    gift_id: int
    count: int
    receiver_id: int = 0
    session_id: int = 0
    video_id: int = 0


@dataclass(frozen=True, slots=True)
class SentGift:
    """``coins``: of all pieces. ``wallet``: what the sender has left."""

    id: int
    gift_id: int
    count: int
    coins: int
    sender_id: int
    receiver_id: int
    session_id: int
    video_id: int
    wallet: int


@dataclass(frozen=True, slots=True)
class GiftRow:
    """A gift that was sent, as operators see it. ``coins``: of all pieces."""

    id: int
    gift: str
    count: int
    coins: int
    sender_id: int
    receiver_id: int
    session_id: int | None
    video_id: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What an order names, as it is while the order is decided."""

    gifts: Mapping[int, Gift]
    sessions: Mapping[int, LiveSession]
    video_owners: Mapping[int, int]
    #: Users who exist and are neither banned nor deleted, by id: their names.
    users: Mapping[int, str]
    #: Who of them blocks whom.
    blocks: Set[tuple[int, int]]
    #: In which state a session takes gifts.
    giving: Set[str]

    def receiver(self, order: GiftOrder) -> int:
        """0 when what the order names does not exist."""
        if order.session_id:
            session = self.sessions.get(order.session_id)
            return 0 if session is None else session.user_id
        if order.video_id:
            return self.video_owners.get(order.video_id, 0)
        return order.receiver_id


def judge(order: GiftOrder, facts: Facts) -> Gift:
    """The gift, when everything but the coins allows it. Raises Refusal."""
    gift = facts.gifts.get(order.gift_id)
    if gift is None:
        raise Empty
    if not gift.on_sale:
        raise Refusal("This gift is not on sale.")
    if not 1 <= order.count <= MOST:
        raise Refusal(f"You can send 1 to {MOST} of a gift at once.")
    _check_place(order, facts)
    receiver_id = facts.receiver(order)
    if order.receiver_id not in (0, receiver_id):
        whose = "live" if order.session_id else "video"
        raise Refusal(f"This is not the receiver's {whose}.")
    if receiver_id == order.sender_id:
        raise Refusal("You cannot send a gift to yourself.")
    if receiver_id not in facts.users:
        raise Empty
    pair = (order.sender_id, receiver_id)
    if pair in facts.blocks or pair[::-1] in facts.blocks:
        raise Refusal("You cannot send gifts to this user.")
    return gift


def _check_place(order: GiftOrder, facts: Facts) -> None:
    if order.session_id:
        session = facts.sessions.get(order.session_id)
        if session is None:
            raise Empty
        if session.status not in facts.giving:
            raise Refusal("This is not live right now.")
    elif order.video_id and order.video_id not in facts.video_owners:
        raise Empty


def check_coins(has: Balances, coins: int) -> None:
    if has.frozen:
        raise Refusal(FROZEN)
    if has.wallet < coins:
        raise Refusal(TOO_FEW_COINS)
