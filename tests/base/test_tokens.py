import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.base.tokens import (
    BadToken,
    UserToken,
    ViewerToken,
    _signature,
    read_user,
    read_viewer,
    sign_user,
    sign_viewer,
)

KEY, OTHER = (b"k" * 32,), (b"o" * 32,)
USER = UserToken(7, 1, 1_000, 2_000, "phone")
VIEWER = ViewerToken("abc", "live/1", 0, 2_000)


def test_a_user_token_comes_back() -> None:
    assert read_user(KEY, sign_user(KEY, USER), 1_500) == USER


def test_one_of_0_1_0_named_no_sign_in_and_has_one_of_its_own() -> None:
    """Or ending one of them would end all."""
    mine, other = "WzcsMSwxMDAwLDIwMDBd", "WzgsMSwxMDAwLDIwMDBd"  # [7,1,1000,2000]; 8
    tokens = [
        read_user(KEY, f"{one}.{_signature(KEY[0], one.encode()).decode()}", 1_500)
        for one in (mine, mine, other)
    ]
    assert [token.user_id for token in tokens] == [7, 7, 8]
    names = [token.sign_in for token in tokens]
    assert names[0] == names[1] != names[2]
    assert "" not in names


def test_a_viewer_token_of_0_1_0_had_no_epoch() -> None:
    said = b"WyJhYmMiLCJsaXZlLzEiLDAsMjAwMF0"  # ["abc","live/1",0,2000]
    text = f"{said.decode()}.{_signature(KEY[0], said).decode()}"
    assert read_viewer(KEY, text, 1_500) == VIEWER


def test_a_viewer_token_comes_back() -> None:
    assert read_viewer(KEY, sign_viewer(KEY, VIEWER), 1_500) == VIEWER


def test_expired_is_bad_unless_the_session_runs_already() -> None:
    with pytest.raises(BadToken):
        read_user(KEY, sign_user(KEY, USER), 2_001)
    with pytest.raises(BadToken):
        read_viewer(KEY, sign_viewer(KEY, VIEWER), 2_001)
    assert read_viewer(KEY, sign_viewer(KEY, VIEWER), None) == VIEWER


def test_another_key_or_another_kind_is_bad() -> None:
    with pytest.raises(BadToken):
        read_user(OTHER, sign_user(KEY, USER), 1_500)
    with pytest.raises(BadToken):
        read_user(KEY, sign_viewer(KEY, VIEWER), 1_500)
    with pytest.raises(BadToken):
        read_viewer(KEY, sign_user(KEY, USER), 1_500)


def test_the_first_key_signs_and_all_are_believed() -> None:
    both = OTHER + KEY
    assert read_user(both, sign_user(KEY, USER), 1_500) == USER
    assert read_user(OTHER, sign_user(both, USER), 1_500) == USER
    with pytest.raises(BadToken):
        read_user(KEY, sign_user(both, USER), 1_500)


@given(st.text(max_size=80))
def test_nonsense_is_bad(text: str) -> None:
    with pytest.raises(BadToken):
        read_user(KEY, text, 1_500)


@given(st.integers(0, 60), st.characters(codec="ascii"))
def test_a_changed_character_is_bad(at: int, other: str) -> None:
    token = sign_user(KEY, USER)
    at %= len(token)
    changed = token[:at] + other + token[at + 1 :]
    if changed == token:
        return
    with pytest.raises(BadToken):
        read_user(KEY, changed, 1_500)
