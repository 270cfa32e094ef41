"""Live sessions: one broadcast each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from control_plane.live.model.rights import Policy

Status = Literal["created", "live", "reconnecting", "ended", "expired"]
EndReason = Literal[
    "completed",
    "disconnected",
    "kicked",
    "banned",
    "superseded",
    "node_lost",
    "expired",
    "too_long",
]
OPEN: frozenset[str] = frozenset({"created", "live", "reconnecting"})
WATCHABLE: frozenset[str] = frozenset({"live", "reconnecting"})
#: Ends that nobody wished for: the encoder will come back by itself.
BROKEN_OFF: frozenset[str] = frozenset({"disconnected", "node_lost", "too_long"})

#: How long a channel keeps its encoder out after an end: encoders come back by
#: themselves within seconds, and a kick should be felt.
CLOSED_AFTER_SECONDS: Mapping[str, int] = {
    "completed": 60,
    "kicked": 300,
    "too_long": 60,
    "superseded": 10,
}


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A row of ``live_streaming_sessions``. Times are UTC."""

    id: int
    user_id: int
    username: str
    channel_id: int | None
    path: str
    node: str
    status: Status
    title: str
    cover: str
    client_started_at: str
    created_at: datetime
    expires_at: datetime | None
    started_at: datetime | None
    reconnect_window: int  # seconds
    reconnect_until: datetime | None
    publisher_type: str | None
    publisher_id: str | None
    publisher_key_id: int | None
    ended_at: datetime | None
    end_reason: EndReason | None
    peak_viewers: int
    policy: Policy
    ticket_price: int  # coins; 0: none is needed
    token_epoch: int

    @property
    def name(self) -> str:
        """The last part of the path: the session's id or the channel's name."""
        return self.path.rpartition("/")[2]

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def is_watchable(self) -> bool:
        return self.status in WATCHABLE
