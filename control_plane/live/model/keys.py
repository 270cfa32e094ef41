"""Stream keys: the secret, its hash, and what is shown of it later."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Literal

from control_plane.base.secrets import Derived

KEY_BYTES = 20  # 160 bits, 27 characters: an RTMP URL stays far under 255
HINT_LENGTH = 4
#: That can open it: the one that has published last, and unused ones.
MOST_OF_SESSION = 8
MOST_OF_CHANNEL = 20


def new_key() -> str:
    return token_urlsafe(KEY_BYTES)


def requested_key(secret: bytes, key_id: int, request: str) -> str:
    """In the place of ``key_id``: the same whenever the same request asks for it."""
    asked = f"{key_id}:{request}".encode()
    made = hashlib.blake2b(asked, key=secret, digest_size=KEY_BYTES).digest()
    return urlsafe_b64encode(made).decode().rstrip("=")


def hash_key(peppers: Derived, key: str) -> bytes:
    """32 bytes. Keyed, so that a stolen table alone does not let anyone guess."""
    return _hash(peppers[0], key)


def all_hashes(peppers: Derived, texts: Iterable[str]) -> list[bytes]:
    """Each that a key may be stored as, if it is one of these."""
    return [_hash(pepper, text) for text in texts for pepper in peppers]


def _hash(pepper: bytes, key: str) -> bytes:
    return hashlib.blake2b(key.encode(), key=pepper, digest_size=32).digest()


def hint(key: str) -> str:
    return key[-HINT_LENGTH:]


def masked(hint: str) -> str:
    return "•" * 8 + hint


@dataclass(frozen=True, slots=True)
class NewKey:
    """What is stored of a session's key. ``within``: its first publish. ``device``: the
    mark of the one that asked for it, where it gave one."""

    hash: bytes
    hint: str
    within: timedelta
    device: str = ""


@dataclass(frozen=True, slots=True)
class Channel:
    id: int
    user_id: int
    name: str
    path: str
    closed_until: datetime | None
    banned: bool


@dataclass(frozen=True, slots=True)
class Revoked:
    """``now``: it was not before. ``session_id``: 0 for a channel's key."""

    path: str
    session_id: int
    now: bool


@dataclass(frozen=True, slots=True)
class Replacement:
    """The key that stands in another one's place."""

    id: int
    name: str
    hash: bytes


#: ``rotating``: another took its place, and it still opens for a while.
KeyState = Literal["open", "scheduled", "rotating", "closed", "spent"]


@dataclass(frozen=True, slots=True)
class Terms:
    """When a lasting key opens its channel, and how often. None: no bound."""

    opens_at: datetime | None = None
    closes_at: datetime | None = None
    one_shot: bool = False  # for one broadcast, with all its reconnects


@dataclass(frozen=True, slots=True)
class StreamKey:
    id: int
    name: str
    hint: str
    channel: str
    created_at: datetime
    last_published_at: datetime | None
    opens_at: datetime | None
    closes_at: datetime | None
    replaced_by: int | None
    one_shot: bool
    spent_on: int | None
    device: str = ""

    def state(self, now: datetime) -> KeyState:
        if self.spent_on is not None:
            return "spent"
        if self.closes_at is not None and self.closes_at <= now:
            return "closed"
        if self.replaced_by is not None:
            return "rotating"
        if self.opens_at is not None and now < self.opens_at:
            return "scheduled"
        return "open"
