"""Stream keys: the secret, its hash, and what is shown of it later."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe

from control_plane.base.secrets import Derived

KEY_BYTES = 20  # 160 bits, 27 characters: an RTMP URL stays far under 255
HINT_LENGTH = 4
#: That can open it: the one that has published last, and unused ones.
MOST_OF_SESSION = 8
MOST_OF_CHANNEL = 20


def new_key() -> str:
    return token_urlsafe(KEY_BYTES)


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
    """What is stored of a session's key. ``within``: its first publish."""

    hash: bytes
    hint: str
    within: timedelta


@dataclass(frozen=True, slots=True)
class Channel:
    id: int
    user_id: int
    name: str
    path: str
    closed_until: datetime | None
    banned: bool


@dataclass(frozen=True, slots=True)
class StreamKey:
    id: int
    name: str
    hint: str
    channel: str
    created_at: datetime
    last_published_at: datetime | None
    revoked_at: datetime | None
