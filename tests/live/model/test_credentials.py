import pytest

from control_plane.live.model import auth_call
from control_plane.live.model.auth_call import AuthCall
from control_plane.live.model.credentials import MOST, candidates, from_query


def test_the_likeliest_first_and_no_doubles() -> None:
    call = AuthCall(token="t", password="p", query="token=t&pass=p&a=b&key=k")
    assert candidates(call) == ["t", "p", "k"]


def test_all_four_that_an_encoder_can_mean() -> None:
    call = AuthCall(token="a", password="b", query="token=e&pass=d&key=c")
    assert candidates(call) == ["a", "b", "c", "d"]


def test_what_a_server_added_to_a_query_is_in_no_list() -> None:
    assert candidates(AuthCall(query="jwt=j&token=t")) == ["t", "j"]
    assert from_query("jwt=j&token=t") == ["t"]
    assert from_query("jwt=j") == []


def test_a_query_full_of_keys_is_four_at_most() -> None:
    query = "&".join(f"key={n}" for n in range(256))
    assert len(query) <= 2048
    assert from_query(query) == ["0", "1", "2", "3"]
    call = AuthCall(token="t", password="p", query=query)
    assert candidates(call) == ["t", "p", "0", "1"]
    assert len(candidates(call)) == MOST


def test_what_is_too_long_is_left_out() -> None:
    call = AuthCall(password="x" * 513, query="key=%6b&pass=")
    assert candidates(call) == ["k"]
    assert candidates(AuthCall(query="key=x&" * 1000)) == []


@pytest.mark.parametrize("wrong", ['{"token":7}', '{"path":null}', "[]", "7", "{", "é"])
def test_what_no_server_sends_is_no_ask(wrong: str) -> None:
    assert auth_call.read(wrong.encode("latin-1")) is None


def test_unknown_fields_do_not_matter() -> None:
    assert auth_call.read(b'{"path":"live/1","more":[1]}') == AuthCall(path="live/1")
