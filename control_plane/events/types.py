"""What each type of event says. These classes are the schemas: what does not fit is
not written, and docs/events.md shows them."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from control_plane.events.model import EventType

Positive = Annotated[int, Meta(gt=0)]
Count = Annotated[int, Meta(ge=0)]


class Data(Struct, frozen=True, forbid_unknown_fields=True):
    """The fields of one type. A field that is added stays optional; whoever changes
    one in another way raises the type's version."""


class Nothing(Data, frozen=True):
    """The type says it all."""


class Created(Data, frozen=True):
    node: str


class Changed(Data, frozen=True):
    """What the host gave anew. Not the words themselves: those go with the account."""

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
    ended the right, where nobody denied it: account_gone, signed_out, not_following,
    no_ticket, too_many. Whoever has the right again may come back."""

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
    """``owed``: coins that were spent already."""

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


class NodeSettings(Data, frozen=True):
    name: str
    api_url: str
    region: str
    sandbox: bool


class Challenge(Data, frozen=True):
    challenge: str


class Test(Data, frozen=True):
    text: str


class Kind(Struct, frozen=True):
    """A type: what it means, what it says, and one as an example."""

    meaning: str
    data: type[Data]
    example: Mapping[str, object]
    version: int = 1


_PURCHASE: Mapping[str, object] = {"purchase_id": 3, "coin": 500}
_TICKET: Mapping[str, object] = {
    "ticket_id": 6,
    "session_id": 12,
    "host_id": 7,
    "coin": 100,
}
_PAYOUT: Mapping[str, object] = {"request_id": 4, "coin": 1000}
_PUBLISHED: Mapping[str, object] = {"node": "eu-1", "type": "rtmpConn", "key_id": 21}
_KEY: Mapping[str, object] = {"key_id": 21, "session_id": 12}
_BAN: Mapping[str, object] = {
    "reason": "spam",
    "actor": "ops",
    "ends_at": "2026-12-01T00:00:00+00:00",
}
_NODE: Mapping[str, object] = {"name": "eu-1"}
_NODE_SETTINGS: Mapping[str, object] = {
    "name": "eu-1",
    "api_url": "http://10.0.0.2:9997",
    "region": "eu",
    "sandbox": False,
}

KINDS: Mapping[EventType, Kind] = {
    "live.created": Kind(
        "A session was opened; nobody publishes yet.", Created, {"node": "eu-1"}
    ),
    "live.changed": Kind(
        "The host gave it another title or cover.",
        Changed,
        {"title": True, "cover": False},
    ),
    "live.started": Kind(
        "The first picture arrived.", Started, {**_PUBLISHED, "channel": "ann"}
    ),
    "live.resumed": Kind("The publisher is back.", Published, _PUBLISHED),
    "live.publisher_replaced": Kind(
        "Another encoder took over.", Published, _PUBLISHED
    ),
    "live.reconnecting": Kind(
        "The publisher went.", Reconnecting, {"until": "2026-11-25T12:01:00+00:00"}
    ),
    "live.heartbeat": Kind("It is still live.", Heartbeat, {"viewers": 345}),
    "live.policy": Kind(
        "Who may watch was changed.", PolicySet, {"policy": "followers"}
    ),
    "viewer.denied": Kind(
        "Somebody may not watch this session any more.",
        Denied,
        {"user_id": 9, "viewer": ""},
    ),
    "live.ended": Kind("It is over, for good.", Ended, {"reason": "completed"}),
    "live.expired": Kind("It is over without a picture.", Ended, {"reason": "expired"}),
    "live.announced": Kind(
        "The host's followers shall be told.",
        Announced,
        {"user_id": 7, "followers": 120},
    ),
    "ingest.degraded": Kind(
        "The encoder's stream comes in badly.",
        Degraded,
        {
            "problem": "key_frames",
            "advice": "No key frame for 8 s: set your encoder's key-frame interval to"
            " 1–2 s.",  # noqa: RUF001
        },
    ),
    "ingest.recovered": Kind(
        "One of the stream's problems is gone.", Recovered, {"problem": "key_frames"}
    ),
    "gift.sent": Kind(
        "A gift, in a live session or, with a user as the subject, to that user.",
        GiftSent,
        {
            "id": 5,
            "gift_id": 1,
            "title": "Rose",
            "count": 3,
            "coin": 30,
            "sender_id": 9,
            "sender": "bob",
            "receiver_id": 7,
            "video_id": 0,
            "image": "/gifts/rose.png",
        },
    ),
    "coins.bonus": Kind(
        "An operator gave coins.", Bonus, {"coin": 100, "reason": "a contest"}
    ),
    "coins.purchased": Kind(
        "Coins were bought.", Purchased, {**_PURCHASE, "store": "apple"}
    ),
    "coins.refunded": Kind(
        "A purchase was taken back.", Refunded, {**_PURCHASE, "owed": 20}
    ),
    "coins.refund_reversed": Kind(
        "A purchase that was taken back counts again.", RefundReversed, _PURCHASE
    ),
    "ticket.bought": Kind("A user may watch a session.", Ticket, _TICKET),
    "ticket.used": Kind(
        "Somebody watched with it: its coins are the host's.", Ticket, _TICKET
    ),
    "ticket.refunded": Kind("The user has its coins again.", Ticket, _TICKET),
    "payout.method_chosen": Kind(
        "A user said where money goes from now on.", PayoutMethod, {"type": "Paypal"}
    ),
    "payout.requested": Kind("A user asks for money.", Payout, _PAYOUT),
    "payout.paid": Kind("The money was sent.", Payout, _PAYOUT),
    "payout.rejected": Kind("The user has the coins again.", Payout, _PAYOUT),
    "key.created": Kind("A stream key was made.", Key, _KEY),
    "key.rotated": Kind(
        "Another key takes its place; until then both open the channel.",
        Rotated,
        {"key_id": 21, "new_key_id": 22, "until": "2026-11-25T13:00:00+00:00"},
    ),
    "key.superseded": Kind("A newer key took its place.", Key, _KEY),
    "key.revoked": Kind("A stream key opens nothing any more.", Key, _KEY),
    "user.banned": Kind("A user was banned.", Banned, _BAN),
    "user.unbanned": Kind("A user's ban is over.", BanEnded, {"actor": "ops"}),
    "user.deleted": Kind("A user deleted the account.", Nothing, {}),
    "user.reported": Kind(
        "Somebody complained about this user.",
        Reported,
        {"report_id": 2, "report_reason_id": 1},
    ),
    "user.signed_out": Kind(
        "Tokens of this user count no more.", SignedOut, {"everywhere": True}
    ),
    "ban.made": Kind(
        "A device or a range of addresses was banned.",
        BanMade,
        {**_BAN, "network": "203.0.113.0/24"},
    ),
    "ban.ended": Kind("Such a ban is over.", BanEnded, {"actor": "service:deadline"}),
    "node.added": Kind("A media node was added.", NodeSettings, _NODE_SETTINGS),
    "node.changed": Kind("A media node was changed.", NodeSettings, _NODE_SETTINGS),
    "node.removed": Kind("A media node was removed.", Node, _NODE),
    "node.drained": Kind("It takes no new sessions.", Node, _NODE),
    "node.activated": Kind("It takes new sessions again.", Node, _NODE),
    "node.lost": Kind("It has been silent for too long.", Node, _NODE),
    "node.found": Kind("A lost node answers again.", Node, _NODE),
    "node.restarted": Kind("It was started anew.", Node, _NODE),
    "webhook.challenge": Kind(
        "Sent to a new receiver, which answers with the challenge; never in the log.",
        Challenge,
        {"challenge": "vGm2ZkqJ0yFQ"},
    ),
    "webhook.test": Kind(
        "Sent by hand, to see whether a receiver gets it; never in the log.",
        Test,
        {"text": "Hello"},
    ),
}


class DoesNotFit(Exception):
    """An event that its type's schema does not allow: a mistake of ours."""


def encoded(kind: EventType, data: Mapping[str, object]) -> str:
    """As JSON. Raises DoesNotFit."""
    try:
        return msgspec.json.encode(msgspec.convert(data, KINDS[kind].data)).decode()
    except (msgspec.ValidationError, KeyError) as error:
        raise DoesNotFit(f"{kind}: {error}") from None


def schema(kind: EventType) -> Mapping[str, Any]:
    """JSON Schema of the data."""
    (found,), known = msgspec.json.schema_components([KINDS[kind].data])
    return known[found["$ref"].rpartition("/")[2]] if "$ref" in found else found
