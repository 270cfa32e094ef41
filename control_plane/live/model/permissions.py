"""Who may publish to a path and who may read it: the rules, without any I/O."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from control_plane.base.tokens import ViewerToken
from control_plane.live.model.edges import EDGE
from control_plane.live.model.rights import Policy, needs_token
from control_plane.live.model.sessions import OPEN

Reason = Literal[
    "ok",
    "no_credentials",
    "unknown_path",
    "wrong_key",
    "key_expired",
    "key_not_yet",
    "key_spent",
    "key_dead",
    "session_over",
    "channel_closed",
    "banned",
    "flapping",
    "node_closed",
    "node_draining",
    "node_full",
    "token_missing",
    "token_invalid",
    "viewer_denied",
    "not_known_now",
    "wrong_node_secret",
    "unknown_action",
    "bad_request",
]

FOR_GOOD = 2**31 - 1  # no epoch comes after it

FLAP_LIMIT = 6  # allowed publishes of one path …
FLAP_WINDOW = 30.0  # … within so many seconds; the running publisher stays


@dataclass(frozen=True, slots=True)
class KeyPermit:
    """A key that is neither revoked nor replaced by a newer one."""

    id: int
    hash: bytes
    of_session: bool
    expires_at: datetime | None
    published: bool
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    spent_on: int = 0  # the one session that a key for one broadcast has opened
    device: str = ""  # the mark of the device that asked for it


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
    keys: Mapping[bytes, KeyPermit]  # by hash
    node: str = ""  # of that session
    policy: Policy = "default"
    token_epoch: int = 0  # viewers' tokens of an earlier one count no more
    # Who was denied, and the epoch that a token of theirs needs since.
    denied_users: Mapping[int, int] = field(default_factory=dict)
    denied_viewers: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        return self.status in OPEN


def find_key(permission: Permission, hashes: Iterable[bytes]) -> KeyPermit | None:
    # What the time of a look-up by a keyed hash tells is of no use without the pepper.
    found = (permission.keys.get(digest) for digest in hashes)
    return next((key for key in found if key is not None), None)


def may_publish(permission: Permission, key: KeyPermit | None, now: datetime) -> Reason:
    """The verdict on an encoder that comes to ``permission.path`` with ``key``."""
    if key is None:
        return "wrong_key"
    if permission.banned:
        return "banned"
    if key.of_session and not permission.is_open:
        return "session_over"
    if permission.closed_until is not None and permission.closed_until > now:
        return "channel_closed"
    if key.expires_at is not None and not key.published and key.expires_at < now:
        return "key_expired"
    return _begins(permission, key, now)


def _begins(permission: Permission, key: KeyPermit, now: datetime) -> Reason:
    """Also of an encoder that comes back: what runs is not asked."""
    if key.opens_at is not None and now < key.opens_at:
        return "key_not_yet"
    if key.closes_at is not None and key.closes_at <= now:
        return "key_expired"
    if key.spent_on and not (
        permission.is_open and permission.session_id == key.spent_on
    ):
        return "key_spent"
    return "ok"


def may_read(
    permission: Permission, token: ViewerToken | None, *, tokens_by_default: bool
) -> Reason:
    """``token``: of this path, if the caller has one; or an edge's, which asks about
    each of its own readers."""
    if permission.banned:
        return "banned"
    if not permission.is_open:
        return "session_over"
    if token is None:
        needed = needs_token(permission.policy, by_default=tokens_by_default)
        return "token_missing" if needed else "ok"
    if token.viewer == EDGE:
        return "ok"
    return "viewer_denied" if _is_denied(permission, token) else "ok"


def _is_denied(permission: Permission, token: ViewerToken) -> bool:
    needed = max(
        permission.token_epoch,
        permission.denied_viewers.get(token.viewer, 0),
        permission.denied_users.get(token.user_id, 0),
    )
    return token.epoch < needed


@dataclass(frozen=True, slots=True)
class Standing:
    """A publisher that a node lists, beside what our tables say of it."""

    path: str
    source_id: str
    permission: Permission | None
    key_id: int | None  # None: no one remembers which key let it in

    @property
    def key(self) -> KeyPermit | None:
        """None also for one that is dead."""
        if self.permission is None or self.key_id is None:
            return None
        alive = self.permission.keys.values()
        return next((key for key in alive if key.id == self.key_id), None)


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
    if standing.key_id is None:
        return "ok"
    key = standing.key
    if key is None:
        return "key_dead"
    if key.of_session and not permission.is_open:
        return "session_over"
    return "ok"
