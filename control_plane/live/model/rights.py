"""Who may watch a broadcast."""

from dataclasses import dataclass
from typing import Literal, get_args

#: ``default``: as the service is set. ``token``: with a token, which whoever asks for
#: it gets. ``followers``, ``paid``: with one that only the host and followers get, or
#: whoever has a ticket.
Policy = Literal["default", "public", "token", "followers", "paid"]
POLICIES: tuple[Policy, ...] = get_args(Policy)

#: Why somebody who watches may not any more.
Gone = Literal[
    "account_gone", "signed_out", "blocked", "not_following", "no_ticket", "too_many"
]


def needs_token(policy: Policy, *, by_default: bool) -> bool:
    return by_default if policy == "default" else policy != "public"


@dataclass(frozen=True, slots=True)
class WatchTerms:
    """``ticket_price``: coins; 0: no ticket is needed."""

    policy: Policy
    ticket_price: int = 0


@dataclass(frozen=True, slots=True)
class Right:
    """What speaks for and against one who asks to watch a session. ``epoch``: their
    token needs this one at least."""

    banned: bool
    denied: bool
    follows: bool
    has_ticket: bool
    epoch: int


@dataclass(frozen=True, slots=True)
class Seen:
    """An account's viewer that was seen to watch a session. ``version``: of the
    account's tokens when this viewer was let in."""

    session_id: int
    viewer: str
    user_id: int
    version: int


@dataclass(frozen=True, slots=True)
class Viewing:
    """``starting``: let in a moment ago; nothing may show that it plays yet.
    ``cut_lately``: within the last minute."""

    session_id: int
    node: str
    viewer: str
    starting: bool
    cut: bool
    cut_lately: bool


def viewer_of(user_id: int, version: int, own: str) -> str:
    """What an account's viewer is called, wherever viewers are counted."""
    return f"{user_id}.{version}.{own}"


def own_part(viewer: str) -> str:
    """Of a viewer's name: what is left of it in another account's, or in none's."""
    return viewer.rpartition(".")[2]


def seen(session_id: int, viewer: str) -> Seen | None:
    """None for a guest."""
    user_id, _, rest = viewer.partition(".")
    version, dot, _own = rest.partition(".")
    if not dot:
        return None
    return Seen(session_id, viewer, int(user_id), int(version))
