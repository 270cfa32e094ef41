"""Sessions, channels, keys and nodes as operators see them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from control_plane.live.model.sessions import LiveSession

State = Literal[
    "open", "over", "all", "created", "live", "reconnecting", "ended", "expired"
]
Sort = Literal["newest", "oldest", "viewers"]
KeyStanding = Literal[
    "open", "scheduled", "rotating", "closed", "spent", "superseded", "revoked"
]

_OPEN = ("created", "live", "reconnecting")
_OVER = ("ended", "expired")
STATUSES: Mapping[str, Collection[str]] = {
    "open": _OPEN,
    "over": _OVER,
    "all": (*_OPEN, *_OVER),
}


@dataclass(frozen=True, slots=True)
class Filter:
    """``words``: in lower case, of the title or the beginning of the username. What is
    empty takes any."""

    state: State = "open"
    node: str = ""
    user_id: int = 0
    words: str = ""

    @property
    def statuses(self) -> Collection[str]:
        return STATUSES.get(self.state, (self.state,))

    @property
    def of_open(self) -> bool:
        return set(self.statuses) <= set(_OPEN)

    def takes(self, session: LiveSession) -> bool:
        return (
            session.status in self.statuses
            and self.node in ("", session.node)
            and self.user_id in (0, session.user_id)
            and (
                self.words in session.title.lower()
                or session.username.lower().startswith(self.words)
            )
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """A session, and how many watch it."""

    session: LiveSession
    viewers: int

    def place(self, sort: Sort) -> tuple[int, int]:
        """Where it stands in a list, counted from its beginning; no two at one."""
        number = self.session.id
        if sort == "viewers":
            return -self.viewers, -number
        return (0, number) if sort == "oldest" else (0, -number)


def sorted_after(
    many: Iterable[Seen], sort: Sort, after: tuple[int, int] | None
) -> list[Seen]:
    found = sorted(many, key=lambda one: one.place(sort))
    return [one for one in found if after is None or one.place(sort) > after]


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """``session_id``: of the broadcast that is open on it."""

    id: int
    name: str
    path: str
    user_id: int
    username: str
    closed_until: datetime | None
    created_at: datetime
    session_id: int | None


@dataclass(frozen=True, slots=True)
class KeyRow:
    """Any key, dead ones too. ``channel``: its name, for a channel's key."""

    id: int
    user_id: int
    session_id: int | None
    channel_id: int | None
    channel: str
    name: str
    hint: str
    created_at: datetime
    expires_at: datetime | None
    first_published_at: datetime | None
    last_published_at: datetime | None
    opens_at: datetime | None
    closes_at: datetime | None
    one_shot: bool
    spent_on: int | None
    replaced_by: int | None
    superseded_at: datetime | None
    revoked_at: datetime | None

    def standing(self, now: datetime) -> KeyStanding:
        if self.revoked_at is not None:
            return "revoked"
        if self.superseded_at is not None:
            return "superseded"
        if self.spent_on is not None:
            return "spent"
        ends = self.closes_at if self.first_published_at else self.expires_at
        if (ends is not None and ends <= now) or _is_past(self.closes_at, now):
            return "closed"
        if self.replaced_by is not None:
            return "rotating"
        if self.opens_at is not None and now < self.opens_at:
            return "scheduled"
        return "open"


def _is_past(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment <= now


@dataclass(frozen=True, slots=True)
class NodeLoad:
    """``sessions``: that are open there; ``live``: those of them with a picture;
    ``viewers``: of these, wherever they read; ``readers``: who reads there."""

    sessions: int = 0
    live: int = 0
    viewers: int = 0
    readers: int = 0

    def with_one(self, seen: "Seen") -> "NodeLoad":
        return NodeLoad(
            self.sessions + 1,
            self.live + (seen.session.status == "live"),
            self.viewers + seen.viewers,
        )
