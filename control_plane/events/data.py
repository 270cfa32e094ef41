"""What an event of each type says. These classes are the schemas: what does not fit is
not written, and docs/events.md shows them."""

from typing import Annotated

from msgspec import Meta, Struct

Positive = Annotated[int, Meta(gt=0)]
Count = Annotated[int, Meta(ge=0)]


class Data(Struct, frozen=True, forbid_unknown_fields=True):
    """The fields of one type. A field that is added stays optional; whoever changes
    one in another way raises the type's version."""


class Nothing(Data, frozen=True):
    """The type says it all."""


class Created(Data, frozen=True):
    node: str


class Moved(Data, frozen=True):
    """``node``: where it goes on."""

    node: str
    from_node: str


class Changed(Data, frozen=True):
    """What is new. Not the words themselves: those go with the account."""

    title: bool
    cover: bool


class Published(Data, frozen=True):
    """``type``: of the publisher, as MediaMTX names it. ``key_id``: of the key that let
    it in; 0: nobody knows."""

    node: str
    type: str
    key_id: Count


class Started(Published, frozen=True):
    """``channel``: its name, when the broadcast is on one."""

    channel: str = ""


class Reconnecting(Data, frozen=True):
    """``until``: when the session ends unless its publisher is back."""

    until: str


class Heartbeat(Data, frozen=True):
    viewers: Count


class PolicySet(Data, frozen=True):
    """``policy``: who may watch from here on. ``ticket_price``: in coins, where a
    ticket is needed."""

    policy: str
    ticket_price: Count = 0


class Denied(Data, frozen=True):
    """``user_id`` 0 and ``viewer`` empty: everybody who had a token. ``reason``: what
    ended the right, where nobody denied it: account_gone, signed_out, blocked,
    not_following, no_ticket, too_many. Whoever has the right again may come back."""

    user_id: Count
    viewer: str
    reason: str = ""


class Ended(Data, frozen=True):
    reason: str


class Announced(Data, frozen=True):
    """The host asks to tell so many followers."""

    user_id: Positive
    followers: Count


class Degraded(Data, frozen=True):
    """``problem``: one of nothing_arrives, key_frames, frame_rate, frames_in_error,
    codec. ``advice``: what the host can do, in a sentence."""

    problem: str
    advice: str


class Recovered(Data, frozen=True):
    problem: str


class GiftSent(Data, frozen=True):
    """``coin``: what all pieces cost. ``image``: an address, or a path on our public
    one. ``video_id``: 0: of no video."""

    id: Positive
    gift_id: Positive
    title: str
    count: Positive
    coin: Positive
    sender_id: Positive
    sender: str
    receiver_id: Positive
    video_id: Count
    image: str = ""


class Bonus(Data, frozen=True):
    coin: Positive
    reason: str


class Purchased(Data, frozen=True):
    purchase_id: Positive
    coin: Positive
    store: str


class Refunded(Data, frozen=True):
    """``coin``: how many of its coins; a part of them, where it was refunded in part.
    ``owed``: coins that were spent already."""

    purchase_id: Positive
    coin: Positive
    owed: Count


class RefundReversed(Data, frozen=True):
    purchase_id: Positive
    coin: Positive


class PayoutMethod(Data, frozen=True):
    """``type``: which kind. The destination itself goes with the account."""

    type: str


class Ticket(Data, frozen=True):
    """The subject is who bought it."""

    ticket_id: Positive
    session_id: Positive
    host_id: Positive
    coin: Positive


class Payout(Data, frozen=True):
    request_id: Positive
    coin: Positive


class Key(Data, frozen=True):
    """``session_id``: 0: a key of the user's channel."""

    key_id: Positive
    session_id: Count


class Rotated(Data, frozen=True):
    """``until``: when the old one opens nothing any more."""

    key_id: Positive
    new_key_id: Positive
    until: str


class Banned(Data, frozen=True):
    """``ends_at``: when it ends by itself; empty: when somebody lifts it."""

    reason: str
    actor: str = ""
    ends_at: str = ""


class BanMade(Banned, frozen=True):
    """One of the two: a device, as its app calls it, or a range of addresses."""

    device: str = ""
    network: str = ""


class BanEnded(Data, frozen=True):
    """``actor``: ``service:deadline`` where its time was over."""

    actor: str = ""


class Reported(Data, frozen=True):
    report_id: Positive
    report_reason_id: Positive


class SignedOut(Data, frozen=True):
    """``everywhere``: every sign-in of the account, or this one."""

    everywhere: bool


class Node(Data, frozen=True):
    name: str


class Drained(Node, frozen=True):
    """``closed``: its encoders are cut and kept out; their sessions go on elsewhere."""

    closed: bool = False


class NodeSettings(Data, frozen=True):
    """``role``: origin, edge or cache. ``weight``: its share of the load. ``most_…``:
    its capacity, bits being those a second to readers; null: no bound."""

    name: str
    api_url: str
    region: str
    sandbox: bool
    role: str = "origin"
    weight: Positive = 1
    most_publishers: Positive | None = None
    most_readers: Positive | None = None
    most_bits: Positive | None = None


class Challenge(Data, frozen=True):
    challenge: str


class Test(Data, frozen=True):
    text: str
