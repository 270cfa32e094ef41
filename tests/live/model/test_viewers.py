"""Who counts, from one look at a node's lists to the next."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from control_plane.base.tokens import ViewerToken, sign_viewer
from control_plane.live.model.viewers import (
    WINDOW,
    Audience,
    Watched,
    change,
    viewer_of_address,
    viewer_of_reader,
)

KEY = (b"k" * 32,)
PATH = "live/1"


@dataclass(frozen=True)
class Listed:
    reader_id: str
    outbound_bytes: int
    address: str = "10.0.0.1"
    query: str = ""
    path: str = PATH


def look(watched: Watched, listed: list[Listed], now: float) -> dict[str, Audience]:
    one = watched.look()
    one.take(listed, now)
    return watched.saw(one, now)


def looks(*lists: list[Listed], first: bool = True) -> Audience:
    """What the last of these looks, 2 s apart, gave. ``first``: before them there was
    one at nobody."""
    watched = Watched(KEY)
    now = 1000.0
    if first:
        look(watched, [], now)
    for listed in lists:
        now += 2.0
        found = look(watched, listed, now)
    return found.get(PATH, Audience())


def test_who_is_new_counts_once_for_an_address() -> None:
    listed = [Listed("a", 500), Listed("b", 500), Listed("c", 500, "10.0.0.2")]
    found = looks(listed)
    assert found.confirmed == set()
    assert found.new == {viewer_of_address("10.0.0.1"), viewer_of_address("10.0.0.2")}


def test_how_much_was_sent_since_the_look_before() -> None:
    watched = Watched(KEY)
    look(watched, [Listed("a", 500)], 1000.0)
    one = watched.look()
    one.take([Listed("a", 900), Listed("b", 70)], 1002.0)
    assert one.sent == 400


def test_who_moves_is_confirmed_and_no_longer_new() -> None:
    found = looks([Listed("a", 500)], [Listed("a", 900)])
    assert found == Audience(confirmed={viewer_of_reader("a")})


def test_a_first_playlist_is_no_movement() -> None:
    found = looks([Listed("a", 0)], [Listed("a", 500)])
    assert found == Audience(new={viewer_of_address("10.0.0.1")})


def test_another_try_of_a_confirmed_viewer_is_not_a_second_one() -> None:
    found = looks([Listed("a", 500)], [Listed("a", 900), Listed("b", 500)])
    assert found == Audience(confirmed={viewer_of_reader("a")})


def test_who_is_gone_from_the_list_is_gone() -> None:
    assert looks([Listed("a", 500)], [Listed("a", 900)], []) == Audience()


def test_who_stands_still_is_gone_after_a_while() -> None:
    still = [[Listed("a", 900)]] * (int(WINDOW / 2) + 1)
    assert looks([Listed("a", 500)], *still) == Audience()


def test_a_token_names_the_viewer_of_all_its_connections() -> None:
    token = sign_viewer(KEY, ViewerToken("ann", PATH, 0, 2_000_000_000))
    query = f"token={token}"
    before = [Listed("a", 500, query=query), Listed("b", 500)]
    after = [Listed("a", 900, query=query), Listed("c", 1, query=query)]
    assert looks(before, after) == Audience(confirmed={"ann"}, new={"ann"})


def test_the_first_look_of_all_tells_nothing_about_movement() -> None:
    found = looks([Listed("a", 500)], first=False)
    assert found == Audience()


def test_counts_are_left_alone_until_those_who_were_there_had_time_to_move() -> None:
    watched = Watched(KEY)
    look(watched, [Listed("a", 500)], 1000.0)
    assert not watched.complete(1002.0)
    assert watched.complete(1000.0 + WINDOW)


def test_who_is_listed_twice_is_one() -> None:
    found = looks([Listed("a", 500)] * 2, [Listed("a", 900), Listed("a", 950)])
    assert found == Audience(confirmed={viewer_of_reader("a")})


def test_a_look_that_broke_off_makes_nobody_gone() -> None:
    watched = Watched(KEY)
    both = [Listed("a", 500), Listed("b", 500)]
    look(watched, [], 1000.0)
    look(watched, both, 1002.0)
    watched.look().take(both[:1], 1004.0)
    found = look(watched, [Listed("a", 900), Listed("b", 900)], 1006.0)
    assert found[PATH].confirmed == {viewer_of_reader("a"), viewer_of_reader("b")}


who = st.sets(st.sampled_from("abcdef"))
audiences = st.builds(Audience, who, who)


@given(audiences, audiences)
def test_a_change_makes_the_later_audience_of_the_earlier(
    before: Audience, after: Audience
) -> None:
    found = change(before, after)
    there = (before.confirmed | before.new | found.came) - found.went
    assert there == after.confirmed | after.new
    assert found.confirmed == after.confirmed - before.confirmed


def test_a_token_of_another_path_names_nobody() -> None:
    """As auth takes them: what stands before the token that counts does not matter."""
    foreign, own = (
        sign_viewer(KEY, ViewerToken(name, path, 0, 4_000_000_000))
        for name, path in (("guest", "live/9"), ("bob", PATH))
    )
    query = f"key={foreign}&token={own}"
    found = looks([Listed("a", 500, query=query)], [Listed("a", 900, query=query)])
    assert found.confirmed == {"bob"}
