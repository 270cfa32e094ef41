"""Who watches, as a node's lists tell it from one look to the next.

Whoever moved bytes between two looks within the last :data:`WINDOW` seconds is
confirmed. Whoever is new in the lists may be a player's second try, or somebody who
only asks: new ones count as one for each address, and for no peak.
"""

import base64
import contextlib
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_network

from control_plane.base.secrets import Derived
from control_plane.base.tokens import BadToken, read_viewer
from control_plane.live.model.credentials import from_query
from control_plane.live.model.nodes import Reader

WINDOW = 10.0  # seconds
#: One customer of an IPv6 provider has at least a whole /64.
IPV6_CUSTOMER = 64


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

    confirmed: set[str] = field(default_factory=set)
    new: set[str] = field(default_factory=set)


class Watched:
    """One node's lists, look by look."""

    def __init__(self, viewer_key: Derived) -> None:
        self._viewer_key = viewer_key
        self._readers: dict[str, _Progress] | None = None
        self._complete_at = 0.0

    def complete(self, now: float) -> bool:
        """False while there may be viewers whom somebody else counted and who have
        had no time yet to move under our eyes."""
        return now >= self._complete_at

    def look(self, readers: Iterable[Reader], now: float) -> dict[str, Audience]:
        """By path. The first look tells nothing about movement."""
        before = self._readers
        after = {one.reader_id: self._progress(before, one, now) for one in readers}
        self._readers = after
        if before is None:
            self._complete_at = now + WINDOW if after else now
        return _audiences(after.values(), now)

    def _progress(
        self, before: "dict[str, _Progress] | None", reader: Reader, now: float
    ) -> "_Progress":
        known = None if before is None else before.get(reader.reader_id)
        if known is None:
            new_at = None if before is None else now
            return _Progress(reader, self._token_viewer(reader), new_at)
        if reader.outbound_bytes != known.bytes:
            # The first bytes may be a playlist, which anybody asks for.
            if known.bytes:
                known.moved_at = now
            known.bytes = reader.outbound_bytes
        return known

    def _token_viewer(self, reader: Reader) -> str | None:
        for text in from_query(reader.query):
            try:
                return read_viewer(self._viewer_key, text, None).viewer
            except BadToken:
                continue
        return None


class _Progress:
    """How far one reader had come, and when that last changed."""

    __slots__ = ("address", "bytes", "moved_at", "new_at", "path", "token", "viewer")

    def __init__(self, reader: Reader, token: str | None, new_at: float | None) -> None:
        self.path = reader.path
        self.address = reader.address
        self.bytes = reader.outbound_bytes
        self.token = token
        self.viewer = token or viewer_of_reader(reader.reader_id)
        self.moved_at: float | None = None
        self.new_at = new_at


def _audiences(readers: Iterable[_Progress], now: float) -> dict[str, Audience]:
    found: dict[str, Audience] = {}
    settled: set[tuple[str, str]] = set()
    new: list[_Progress] = []
    for one in readers:
        if one.moved_at is None:
            new.append(one)
        elif one.moved_at > now - WINDOW:
            found.setdefault(one.path, Audience()).confirmed.add(one.viewer)
            if one.token is None:
                settled.add((one.path, one.address))
    for one in new:
        if one.new_at is None or one.new_at <= now - WINDOW:
            continue
        if one.token is not None or (one.path, one.address) not in settled:
            who = one.token or viewer_of_address(one.address)
            found.setdefault(one.path, Audience()).new.add(who)
    return found
