"""Who may publish to a path and who may read it: the rules, without any I/O."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from control_plane.live.model.sessions import OPEN

Reason = Literal[
    "ok",
    "no_credentials",
    "unknown_path",
    "wrong_key",
    "key_expired",
    "key_superseded",
    "key_revoked",
    "session_over",
    "channel_closed",
    "banned",
    "flapping",
    "token_missing",
    "token_invalid",
    "not_known_now",
    "wrong_node_secret",
    "unknown_action",
    "bad_request",
]

FLAP_LIMIT = 6  # allowed publishes of one path …
FLAP_WINDOW = 30.0  # … within so many seconds; the running publisher stays


@dataclass(frozen=True, slots=True)
class KeyPermit:
    id: int
    hash: bytes
    of_session: bool
    expires_at: datetime | None
    published: bool
    superseded: bool
    revoked: bool


@dataclass(frozen=True, slots=True)
class Permission:
    """All that decides about one path."""

    path: str
    session_id: int  # 0: none was ever opened here
    status: str  # of that session; "" for none
    channel_id: int  # 0: a session's own path
    closed_until: datetime | None
    user_id: int
    banned: bool
    keys: tuple[KeyPermit, ...]

    @property
    def is_open(self) -> bool:
        return self.status in OPEN


def find_key(permission: Permission, hashes: Iterable[bytes]) -> KeyPermit | None:
    for digest in hashes:
        for key in permission.keys:
            if hmac.compare_digest(key.hash, digest):
                return key
    return None


def may_publish(permission: Permission, key: KeyPermit | None, now: datetime) -> Reason:
    """The verdict on an encoder that comes to ``permission.path`` with ``key``."""
    if key is None:
        return "wrong_key"
    if permission.banned:
        return "banned"
    if key.revoked:
        return "key_revoked"
    if key.superseded:
        return "key_superseded"
    if key.of_session and not permission.is_open:
        return "session_over"
    if permission.closed_until is not None and permission.closed_until > now:
        return "channel_closed"
    if key.expires_at is not None and not key.published and key.expires_at < now:
        return "key_expired"
    return "ok"


def may_read(permission: Permission) -> Reason:
    if permission.banned:
        return "banned"
    return "ok" if permission.is_open else "session_over"


@dataclass(frozen=True, slots=True)
class Standing:
    """A publisher that a node lists, beside what our tables say of it."""

    path: str
    source_id: str
    permission: Permission | None
    key_id: int | None  # None: no one remembers which key let it in


def may_stay(standing: Standing, now: datetime) -> Reason:
    """The verdict on a publisher that runs already.

    Expiry bounds the first publish only. A forgotten key is no reason to cut a
    healthy broadcast: nobody gets in without one.
    """
    permission = standing.permission
    if permission is None:
        return "unknown_path"
    if permission.banned:
        return "banned"
    if permission.closed_until is not None and permission.closed_until > now:
        return "channel_closed"
    if not permission.channel_id and not permission.is_open:
        return "session_over"
    key = next((key for key in permission.keys if key.id == standing.key_id), None)
    if key is None:
        return "ok"
    if key.revoked:
        return "key_revoked"
    if key.superseded:
        return "key_superseded"
    if key.of_session and not permission.is_open:
        return "session_over"
    return "ok"
