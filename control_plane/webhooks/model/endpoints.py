"""Endpoints: where events are sent."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from control_plane.base.refusals import BadInput
from control_plane.events.model import Event, Position
from control_plane.events.types import KINDS

LONGEST_URL = 2000  # characters
LONGEST_DESCRIPTION = 200  # characters
UNVERIFIED = "It has not answered the challenge yet."
GONE = "The receiver answered 410 Gone."
FAILING = "The receiver took nothing for five days."
BY_HAND = "An operator switched it off."


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``types``: none: all. ``old_until``: that secrets before this one count, the
    newest first. ``position``: behind it all is delivered or parked."""

    id: int
    url: str
    types: Sequence[str]
    description: str
    enabled: bool
    disabled_because: str
    switched: int
    generation: int
    old_until: Sequence[datetime]
    position: Position
    failing_since: datetime | None
    created_at: datetime

    def takes(self, event: Event) -> bool:
        return not self.types or event.type in self.types


@dataclass(frozen=True, slots=True)
class Wish:
    """What an operator says about an endpoint."""

    url: str
    types: Sequence[str] = ()
    description: str = ""


def check(wish: Wish) -> None:
    """Raises BadInput."""
    _check_url(wish.url)
    _check_types(wish.types)
    if len(wish.description) > LONGEST_DESCRIPTION:
        raise BadInput(f"A description has at most {LONGEST_DESCRIPTION} characters.")


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise BadInput("This is no address.") from None
    if parts.scheme not in ("http", "https") or not host or not url.isascii():
        raise BadInput("An endpoint is an http or https address.")
    if parts.username is not None or parts.fragment:
        raise BadInput("An endpoint's address has neither a user nor a fragment.")
    if len(url) > LONGEST_URL or any(c.isspace() for c in url):
        raise BadInput(f"An address has at most {LONGEST_URL} characters, none blank.")


def _check_types(types: Collection[str]) -> None:
    for name in types:
        if name not in KINDS:
            raise BadInput(f"There is no type of event called {name}.")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Of an endpoint that takes nothing. ``because``: what its last attempt met, or
    why it is switched off."""

    id: int
    url: str
    failing_since: datetime | None
    enabled: bool
    because: str

    @property
    def host(self) -> str:
        """All of the address that is nobody's secret."""
        return urlsplit(self.url).netloc


@dataclass(frozen=True, slots=True)
class Lag:
    """How an endpoint does. ``failing``, ``behind``: seconds since it took nothing, and
    since the oldest event was written that is neither delivered nor parked.
    ``parked``: subjects; ``dead``: events that were given up."""

    id: int
    disabled_because: str
    failing: float
    behind: float
    parked: int
    dead: int

    @property
    def switched_itself_off(self) -> bool:
        return self.disabled_because in (GONE, FAILING)
