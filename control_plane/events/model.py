"""Events: numbered facts about a session, a user or a node."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Subject = Literal["session", "user", "node", "ban"]
EventType = Literal[
    "live.created",
    "live.moved",
    "live.policy",
    "viewer.denied",
    "live.changed",
    "live.started",
    "live.resumed",
    "live.publisher_replaced",
    "live.reconnecting",
    "live.heartbeat",
    "live.ended",
    "live.expired",
    "live.announced",
    "ingest.degraded",
    "ingest.recovered",
    "gift.sent",
    "coins.bonus",
    "coins.purchased",
    "coins.refunded",
    "coins.refund_reversed",
    "ticket.bought",
    "ticket.used",
    "ticket.refunded",
    "payout.method_chosen",
    "payout.requested",
    "payout.paid",
    "payout.rejected",
    "key.created",
    "key.rotated",
    "key.superseded",
    "key.revoked",
    "user.banned",
    "user.unbanned",
    "user.deleted",
    "user.reported",
    "user.signed_out",
    "ban.made",
    "ban.ended",
    "node.added",
    "node.changed",
    "node.removed",
    "node.drained",
    "node.activated",
    "node.lost",
    "node.found",
    "node.restarted",
    "webhook.challenge",
    "webhook.test",
]

CURSOR = re.compile(r"([0-9a-f]{1,4})\.([0-9a-f]{1,16})\.([0-9a-f]{1,16})")
MOST_TRANSACTIONS = 2**63  # asyncpg and Postgres's bigint end there


class BadCursor(ValueError):
    """No cursor of ours."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """In the whole log. What is behind a position that was read is complete."""

    era: int
    xid: int
    id: int

    def __str__(self) -> str:
        """The cursor, as it is handed out."""
        return f"{self.era:x}.{self.xid:x}.{self.id:x}"


BEGINNING = Position(0, 0, 0)


def position(cursor: str) -> Position:
    """Raises BadCursor. Nothing is the beginning."""
    if not cursor:
        return BEGINNING
    match = CURSOR.fullmatch(cursor)
    if match is None:
        raise BadCursor
    found = Position(*(int(part, 16) for part in match.groups()))
    if found.era >= 2**15 or max(found.xid, found.id) >= MOST_TRANSACTIONS:
        raise BadCursor
    return found


@dataclass(frozen=True, slots=True)
class Event:
    """``seq``: 1, 2, 3 … of its subject, without a gap."""

    position: Position
    subject: Subject
    subject_id: int
    seq: int
    type: EventType
    version: int
    data: Mapping[str, object]
    at: datetime

    @property
    def id(self) -> str:
        """The same wherever and however often it is told."""
        return f"evt_{self.position.id}"


def told(event: Event) -> dict[str, object]:
    """An event as others read it."""
    return {
        "id": event.id,
        "type": event.type,
        "version": event.version,
        "timestamp": event.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "subject": event.subject,
        "subject_id": event.subject_id,
        "seq": event.seq,
        "cursor": str(event.position),
        "data": event.data,
    }
