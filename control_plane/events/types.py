"""The types of events: what each means, what it says, and one as an example."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from control_plane.events import data
from control_plane.events.model import EventType


class Kind(Struct, frozen=True):
    """A type: what it means, what it says, and one as an example."""

    meaning: str
    data: type[data.Data]
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
        "A session was opened; nobody publishes yet.", data.Created, {"node": "eu-1"}
    ),
    "live.changed": Kind(
        "The host gave it another title or cover.",
        data.Changed,
        {"title": True, "cover": False},
    ),
    "live.started": Kind(
        "The first picture arrived.", data.Started, {**_PUBLISHED, "channel": "ann"}
    ),
    "live.resumed": Kind("The publisher is back.", data.Published, _PUBLISHED),
    "live.publisher_replaced": Kind(
        "Another encoder took over.", data.Published, _PUBLISHED
    ),
    "live.moved": Kind(
        "Its host is sent to another node, and viewers who come now with him.",
        data.Moved,
        {"node": "eu-2", "from_node": "eu-1"},
    ),
    "live.reconnecting": Kind(
        "The publisher went.", data.Reconnecting, {"until": "2026-11-25T12:01:00+00:00"}
    ),
    "live.heartbeat": Kind("It is still live.", data.Heartbeat, {"viewers": 345}),
    "live.policy": Kind(
        "Who may watch was changed.", data.PolicySet, {"policy": "followers"}
    ),
    "viewer.denied": Kind(
        "Somebody may not watch this session any more.",
        data.Denied,
        {"user_id": 9, "viewer": ""},
    ),
    "live.ended": Kind("It is over, for good.", data.Ended, {"reason": "completed"}),
    "live.expired": Kind(
        "It is over without a picture.", data.Ended, {"reason": "expired"}
    ),
    "live.announced": Kind(
        "The host's followers shall be told.",
        data.Announced,
        {"user_id": 7, "followers": 120},
    ),
    "ingest.degraded": Kind(
        "The encoder's stream comes in badly.",
        data.Degraded,
        {
            "problem": "key_frames",
            "advice": "No key frame for 8 s: set your encoder's key-frame interval to"
            " 1–2 s.",  # noqa: RUF001
        },
    ),
    "ingest.recovered": Kind(
        "One of the stream's problems is gone.",
        data.Recovered,
        {"problem": "key_frames"},
    ),
    "gift.sent": Kind(
        "A gift, in a live session or, with a user as the subject, to that user.",
        data.GiftSent,
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
        "An operator gave coins.", data.Bonus, {"coin": 100, "reason": "a contest"}
    ),
    "coins.purchased": Kind(
        "Coins were bought.", data.Purchased, {**_PURCHASE, "store": "apple"}
    ),
    "coins.refunded": Kind(
        "A purchase was taken back.", data.Refunded, {**_PURCHASE, "owed": 20}
    ),
    "coins.refund_reversed": Kind(
        "A purchase that was taken back counts again.", data.RefundReversed, _PURCHASE
    ),
    "ticket.bought": Kind("A user may watch a session.", data.Ticket, _TICKET),
    "ticket.used": Kind(
        "Somebody watched with it: its coins are the host's.", data.Ticket, _TICKET
    ),
    "ticket.refunded": Kind("The user has its coins again.", data.Ticket, _TICKET),
    "payout.method_chosen": Kind(
        "A user said where money goes from now on.",
        data.PayoutMethod,
        {"type": "Paypal"},
    ),
    "payout.requested": Kind("A user asks for money.", data.Payout, _PAYOUT),
    "payout.paid": Kind("The money was sent.", data.Payout, _PAYOUT),
    "payout.rejected": Kind("The user has the coins again.", data.Payout, _PAYOUT),
    "key.created": Kind("A stream key was made.", data.Key, _KEY),
    "key.rotated": Kind(
        "Another key takes its place; until then both open the channel.",
        data.Rotated,
        {"key_id": 21, "new_key_id": 22, "until": "2026-11-25T13:00:00+00:00"},
    ),
    "key.superseded": Kind("A newer key took its place.", data.Key, _KEY),
    "key.revoked": Kind("A stream key opens nothing any more.", data.Key, _KEY),
    "user.banned": Kind("A user was banned.", data.Banned, _BAN),
    "user.unbanned": Kind("A user's ban is over.", data.BanEnded, {"actor": "ops"}),
    "user.deleted": Kind("A user deleted the account.", data.Nothing, {}),
    "user.reported": Kind(
        "Somebody complained about this user.",
        data.Reported,
        {"report_id": 2, "report_reason_id": 1},
    ),
    "user.signed_out": Kind(
        "Tokens of this user count no more.", data.SignedOut, {"everywhere": True}
    ),
    "ban.made": Kind(
        "A device or a range of addresses was banned.",
        data.BanMade,
        {**_BAN, "network": "203.0.113.0/24"},
    ),
    "ban.ended": Kind(
        "Such a ban is over.", data.BanEnded, {"actor": "service:deadline"}
    ),
    "node.added": Kind("A media node was added.", data.NodeSettings, _NODE_SETTINGS),
    "node.changed": Kind(
        "A media node was changed.", data.NodeSettings, _NODE_SETTINGS
    ),
    "node.removed": Kind("A media node was removed.", data.Node, _NODE),
    "node.drained": Kind("It takes no new sessions.", data.Drained, _NODE),
    "node.activated": Kind("It takes new sessions again.", data.Node, _NODE),
    "node.lost": Kind("It has been silent for too long.", data.Node, _NODE),
    "node.found": Kind("A lost node answers again.", data.Node, _NODE),
    "node.restarted": Kind("It was started anew.", data.Node, _NODE),
    "webhook.challenge": Kind(
        "Sent to a new receiver, which answers with the challenge; never in the log.",
        data.Challenge,
        {"challenge": "vGm2ZkqJ0yFQ"},
    ),
    "webhook.test": Kind(
        "Sent by hand, to see whether a receiver gets it; never in the log.",
        data.Test,
        {"text": "Hello"},
    ),
}


class DoesNotFit(Exception):
    """An event that its type's schema does not allow: a mistake of ours."""


def encoded(kind: EventType, said: Mapping[str, object]) -> str:
    """As JSON. Raises DoesNotFit."""
    try:
        return msgspec.json.encode(msgspec.convert(said, KINDS[kind].data)).decode()
    except (msgspec.ValidationError, KeyError) as error:
        raise DoesNotFit(f"{kind}: {error}") from None


def schema(kind: EventType) -> Mapping[str, Any]:
    """JSON Schema of the data."""
    (found,), known = msgspec.json.schema_components([KINDS[kind].data])
    return known[found["$ref"].rpartition("/")[2]] if "$ref" in found else found
