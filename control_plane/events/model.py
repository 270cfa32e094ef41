"""Events: numbered facts about a session or a user."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Subject = Literal["session", "user"]
EventType = Literal[
    "live.created",
    "live.started",
    "live.resumed",
    "live.publisher_replaced",
    "live.reconnecting",
    "live.ended",
    "live.expired",
    "live.announced",
    "gift.sent",
    "coins.bonus",
    "coins.purchased",
    "coins.refunded",
    "coins.refund_reversed",
    "payout.requested",
    "payout.paid",
    "payout.rejected",
    "user.banned",
    "user.unbanned",
    "user.deleted",
    "user.reported",
    "user.signed_out",
]


@dataclass(frozen=True, slots=True)
class Event:
    seq: int  # 1, 2, 3 … of its subject, without a gap
    type: str
    data: Mapping[str, object]
    at: datetime
