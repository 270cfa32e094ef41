"""Who watches, as a node's lists tell it from one look to the next.

Whoever moved bytes between two looks within the last :data:`WINDOW` seconds is
confirmed. Whoever is new in the lists may be a player's second try, or somebody who
only asks: new ones count as one for each address, and for no peak.
"""

import base64
import contextlib
import hashlib
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from ipaddress import ip_network

from msgspec import Struct

from control_plane.base.secrets import Derived
from control_plane.base.tokens import ViewerToken
from control_plane.live.model.credentials import viewer_token
from control_plane.live.model.edges import EDGE, path_at_origin
from control_plane.live.model.nodes import Reader

WINDOW = 10.0  # seconds
#: One customer of an IPv6 provider has at least a whole /64.
IPV6_CUSTOMER = 64


#: Whoever takes the pictures of streams is no viewer. No viewer has a name so short.
PREVIEWER = "previews"
NO_VIEWERS = frozenset({PREVIEWER, EDGE})


def viewer_of_reader(reader_id: str) -> str:
    return _short(reader_id)


def viewer_of_address(ip: object) -> str:
    text = str(ip)
    if ":" in text:
        with contextlib.suppress(ValueError):
            text = str(ip_network((text.partition("%")[0], IPV6_CUSTOMER), False))
    return _short(text)


def _short(text: str) -> str:
    """12 characters: what Redis keeps of a viewer."""
    return base64.b64encode(
        hashlib.blake2b(text.encode(), digest_size=9).digest()
    ).decode()


@dataclass(frozen=True, slots=True)
class Audience:
    """The viewers of one path."""

    confirmed: AbstractSet[str] = frozenset()
    new: set[str] = field(default_factory=set)

    @property
    def size(self) -> int:
        return len(self.confirmed) + sum(one not in self.confirmed for one in self.new)


NOBODY = Audience()


@dataclass(frozen=True, slots=True)
class Change:
    """From one audience to the next."""

    came: AbstractSet[str]
    went: AbstractSet[str]
    confirmed: AbstractSet[str]  # who was not before


def change(before: Audience, after: Audience) -> Change:
    """What makes of ``before``'s members, confirmed or new, those of ``after``."""
    confirmed = after.confirmed - before.confirmed
    came = (confirmed | (after.new - before.confirmed)) - before.new
    went = (before.confirmed - after.confirmed) | (before.new - after.new)
    return Change(came, went - after.confirmed - after.new, confirmed)


class Watched:
    """One node's lists, look by look."""

    def __init__(self, viewer_key: Derived) -> None:
        self._viewer_key = viewer_key
        self._readers: dict[str, Listed] = {}
        self._begun = 0  # looks
        self._saw_all = False  # ever
        self._complete_at = float("-inf")

    def complete(self, now: float) -> bool:
        """False while there may be viewers whom somebody else counted and who have
        had no time yet to move under our eyes."""
        return now >= self._complete_at

    def look(self) -> "Look":
        """Begin one. The first tells nothing about movement."""
        self._begun += 1
        first = not self._saw_all
        return Look(self._viewer_key, self._readers, self._begun, first=first)

    @property
    def readers(self) -> "Iterable[Listed]":
        """As the last look found them."""
        return self._readers.values()

    def saw(self, look: "Look", now: float) -> dict[str, Audience]:
        """By path at the origin, once the node has answered to the end. A look that it
        did not answer to the end is left alone: it may lack anybody."""
        if not self._saw_all:
            self._complete_at = now + WINDOW if look.size else now
            self._saw_all = True
        self._keep(look)
        return look.audiences()

    def _keep(self, look: "Look") -> None:
        """Most readers are those of the look before: who came and went is moved."""
        listed = self._readers
        if len(listed) + len(look.came) > look.size:
            gone = [name for name, one in listed.items() if one.look != look.number]
            for name in gone:
                del listed[name]
        listed.update(look.came)


class Look:
    """One look at the readers, as they come, some at a time."""

    def __init__(
        self,
        viewer_key: Derived,
        before: "Mapping[str, Listed]",
        number: int,
        *,
        first: bool,
    ) -> None:
        """``before``: as the look before left them."""
        self.number = number
        self.size = 0  # of those found, who came included
        self.came: dict[str, Listed] = {}
        self.sent = 0  # bytes, since the look before
        self._viewer_key = viewer_key
        self._first = first
        self._before = before
        # Keys without values: of dictionaries of texts alone garbage collection, which
        # would hold the event loop for 0.1 s with a million of them, sees nothing.
        self._confirmed: dict[str, dict[str, None]] = defaultdict(dict)
        self._addresses: dict[str, set[str]] = defaultdict(set)
        self._new: list[Listed] = []

    def take(self, readers: Iterable[Reader], now: float) -> None:
        """Somebody may come twice: lists move while they are read."""
        limit = max(0.0, now - WINDOW)  # of a machine that has just begun, too
        before, number, confirmed = self._before, self.number, self._confirmed
        for reader in readers:
            one = before.get(reader.reader_id)
            if one is None:
                one = self.came.get(reader.reader_id) or self._come(reader, now)
            elif (sent := reader.outbound_bytes) != one.bytes:
                self.sent += max(0, sent - one.bytes)
                # The first bytes may be a playlist, which anybody asks for.
                if one.bytes:
                    one.moved_at = now
                one.bytes = sent
            if one.look != number:
                one.look = number
                self.size += 1
            if one.moved_at > limit:
                confirmed[one.path][one.viewer] = None
                if one.token is None:
                    self._addresses[one.path].add(one.address)
            elif one.new_at > limit and not one.moved_at:
                self._new.append(one)

    def audiences(self) -> dict[str, Audience]:
        """A new one from the address of somebody who watches is another try."""
        for viewers in self._confirmed.values():
            for name in NO_VIEWERS:
                viewers.pop(name, None)
        found = {path: Audience(who.keys()) for path, who in self._confirmed.items()}
        for one in self._new:
            if one.viewer in NO_VIEWERS:
                continue
            tokenless = one.token is None
            if not tokenless or one.address not in self._addresses[one.path]:
                who = viewer_of_address(one.address) if tokenless else one.viewer
                found.setdefault(one.path, Audience()).new.add(who)
        return found

    def _come(self, reader: Reader, now: float) -> "Listed":
        token = viewer_token(self._viewer_key, reader.query, reader.path)
        one = self.came[reader.reader_id] = Listed(
            reader_id=reader.reader_id,
            path=sys.intern(path_at_origin(reader.path)[1]),
            address=reader.address,
            bytes=reader.outbound_bytes,
            token=token,
            viewer=(
                viewer_of_reader(reader.reader_id) if token is None else token.viewer
            ),
            new_at=0.0 if self._first else now,
        )
        return one


# As in mediamtx/payloads.py: 100,000 that refer to nothing that could refer to them.
class Listed(Struct, gc=False):
    """Who reads, how far they had come, and when that last changed."""

    reader_id: str
    path: str
    address: str
    bytes: int
    token: ViewerToken | None
    viewer: str
    new_at: float  # 0: it was there when we first looked
    moved_at: float = 0.0  # 0: never
    look: int = 0  # the last that found it
