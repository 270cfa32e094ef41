from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from control_plane.base.tokens import ViewerToken
from control_plane.live.model.permissions import (
    FOR_GOOD,
    KeyPermit,
    Permission,
    Reason,
    Standing,
    find_key,
    may_publish,
    may_read,
    may_stay,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PAST, FUTURE = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)
KEY = KeyPermit(
    id=1,
    hash=b"h" * 32,
    of_session=True,
    expires_at=FUTURE,
    published=False,
)
OPEN = Permission(
    path="live/1",
    session_id=1,
    status="created",
    channel_id=0,
    closed_until=None,
    user_id=1,
    banned=False,
    keys={KEY.hash: KEY},
)
CHANNEL_KEY = replace(KEY, of_session=False, expires_at=None)
SPENT = replace(CHANNEL_KEY, spent_on=9)
CHANNEL = replace(
    OPEN, session_id=0, status="", channel_id=3, keys={CHANNEL_KEY.hash: CHANNEL_KEY}
)


@pytest.mark.parametrize(
    ("permission", "key", "verdict"),
    [
        (OPEN, KEY, "ok"),
        (OPEN, None, "wrong_key"),
        (replace(OPEN, banned=True), KEY, "banned"),
        (OPEN, replace(KEY, expires_at=PAST), "key_expired"),
        (OPEN, replace(KEY, expires_at=PAST, published=True), "ok"),
        (replace(OPEN, status="reconnecting"), KEY, "ok"),
        (replace(OPEN, status="ended"), KEY, "session_over"),
        (replace(OPEN, status="expired"), KEY, "session_over"),
        (CHANNEL, CHANNEL_KEY, "ok"),
        (replace(CHANNEL, status="ended"), CHANNEL_KEY, "ok"),
        (replace(CHANNEL, closed_until=FUTURE), CHANNEL_KEY, "channel_closed"),
        (replace(CHANNEL, closed_until=PAST), CHANNEL_KEY, "ok"),
        (CHANNEL, replace(CHANNEL_KEY, opens_at=FUTURE), "key_not_yet"),
        (CHANNEL, replace(CHANNEL_KEY, opens_at=NOW), "ok"),
        (CHANNEL, replace(CHANNEL_KEY, closes_at=FUTURE), "ok"),
        (CHANNEL, replace(CHANNEL_KEY, closes_at=NOW), "key_expired"),
        (CHANNEL, SPENT, "key_spent"),
        (replace(CHANNEL, session_id=9, status="reconnecting"), SPENT, "ok"),
        (replace(CHANNEL, session_id=9, status="ended"), SPENT, "key_spent"),
        (replace(CHANNEL, session_id=10, status="live"), SPENT, "key_spent"),
    ],
)
def test_who_may_publish(
    permission: Permission, key: KeyPermit | None, verdict: Reason
) -> None:
    assert may_publish(permission, key, NOW) == verdict


@pytest.mark.parametrize(
    ("permission", "key_id", "verdict"),
    [
        (None, 1, "unknown_path"),
        (OPEN, 1, "ok"),
        (OPEN, None, "ok"),  # nobody remembers its key: no reason to cut it
        (replace(OPEN, keys={KEY.hash: replace(KEY, expires_at=PAST)}), 1, "ok"),
        (replace(OPEN, banned=True), 1, "banned"),
        (replace(OPEN, status="ended"), None, "session_over"),
        (replace(OPEN, keys={}), 1, "key_dead"),
        (replace(OPEN, keys={}), None, "ok"),
        (CHANNEL, 1, "ok"),
        (replace(CHANNEL, closed_until=FUTURE), 1, "channel_closed"),
        (replace(CHANNEL, status="ended", keys={KEY.hash: KEY}), 1, "session_over"),
    ],
)
def test_who_may_stay(
    permission: Permission | None, key_id: int | None, verdict: Reason
) -> None:
    assert may_stay(Standing("live/1", "s", permission, key_id), NOW) == verdict


TOKEN = ViewerToken("viewer", "live/1", 5, 2_000_000_000, 1)


@pytest.mark.parametrize(
    ("permission", "token", "verdict"),
    [
        (OPEN, None, "ok"),
        (OPEN, TOKEN, "ok"),
        (replace(OPEN, status="ended"), TOKEN, "session_over"),
        (replace(OPEN, banned=True), TOKEN, "banned"),
        (replace(OPEN, policy="token"), None, "token_missing"),
        (replace(OPEN, policy="followers"), None, "token_missing"),
        (replace(OPEN, policy="followers"), TOKEN, "ok"),
        (replace(OPEN, token_epoch=1), TOKEN, "ok"),
        (replace(OPEN, token_epoch=2), TOKEN, "viewer_denied"),
        (replace(OPEN, denied_users={5: FOR_GOOD}), TOKEN, "viewer_denied"),
        (replace(OPEN, denied_viewers={"viewer": 2}), TOKEN, "viewer_denied"),
        (replace(OPEN, denied_users={6: FOR_GOOD}), TOKEN, "ok"),
        (replace(OPEN, denied_users={5: 1}), TOKEN, "ok"),
    ],
)
def test_who_may_read(
    permission: Permission, token: ViewerToken | None, verdict: Reason
) -> None:
    assert may_read(permission, token, tokens_by_default=False) == verdict


def test_where_tokens_are_the_rule_a_public_one_needs_none() -> None:
    assert may_read(OPEN, None, tokens_by_default=True) == "token_missing"
    public = replace(OPEN, policy="public")
    assert may_read(public, None, tokens_by_default=True) == "ok"


def test_a_key_is_found_by_its_hash_alone() -> None:
    assert find_key(OPEN, [b"x" * 32, KEY.hash]) == KEY
    assert find_key(OPEN, [b"x" * 32]) is None
    assert find_key(OPEN, []) is None
