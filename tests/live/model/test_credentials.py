from control_plane.live.model.credentials import MOST, candidates, from_query


def test_the_likeliest_first_and_no_doubles() -> None:
    payload = {"token": "t", "password": "p", "query": "token=t&pass=p&a=b&key=k"}
    assert candidates(payload) == ["t", "p", "k"]


def test_all_four_that_an_encoder_can_mean() -> None:
    payload = {"token": "a", "password": "b", "query": "token=e&pass=d&key=c"}
    assert candidates(payload) == ["a", "b", "c", "d"]


def test_a_query_full_of_keys_is_four_at_most() -> None:
    query = "&".join(f"key={n}" for n in range(256))
    assert len(query) <= 2048
    assert from_query(query) == ["0", "1", "2", "3"]
    payload = {"token": "t", "password": "p", "query": query}
    assert candidates(payload) == ["t", "p", "0", "1"]
    assert len(candidates(payload)) == MOST


def test_what_is_too_long_or_no_text_is_left_out() -> None:
    payload = {"token": 7, "password": "x" * 513, "query": "key=%6b&pass="}
    assert candidates(payload) == ["k"]
    assert candidates({"query": "key=x&" * 1000}) == []
