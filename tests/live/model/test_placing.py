"""Which origin takes a broadcast."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from control_plane.live.model.nodes import Node
from control_plane.live.model.placing import Origin, choose, spread

NODE = Node("", "", "", "", "", "", "")


def origin(name: str, broadcasts: int = 0, **more: object) -> Origin:
    return Origin(replace(NODE, name=name, **more), broadcasts)  # type: ignore[arg-type]


def chosen(*origins: Origin, region: str = "") -> str | None:
    node = choose(origins, region)
    return None if node is None else node.name


SILENT = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_one_with_the_least_to_do() -> None:
    assert chosen(origin("a", 2), origin("b", 1)) == "b"


def test_the_first_by_name_of_equals() -> None:
    assert chosen(origin("b", 1), origin("a", 1)) == "a"


def test_as_much_as_its_weight_says() -> None:
    heavy = {"weight": 3}
    assert chosen(origin("a", 1), origin("b", 4, **heavy)) == "b"
    assert chosen(origin("a", 1), origin("b", 5, **heavy)) == "a"


def test_none_that_drains_or_is_lost() -> None:
    gone = [origin("a", draining=True), origin("b", lost=True)]
    assert chosen(*gone) is None
    assert chosen(*gone, origin("z", 100)) == "z"


def test_none_that_is_full() -> None:
    full = origin("a", 5, most_publishers=5)
    assert chosen(full) is None
    assert chosen(full, origin("b", 50, most_publishers=51)) == "b"


def test_none_that_sends_as_much_as_it_can() -> None:
    full = origin("a", most_bits=1000, bits=1000)
    assert chosen(full, origin("b", 50, most_bits=1000, bits=999)) == "b"
    assert chosen(full) is None
    assert chosen(origin("a", bits=10**12)) == "a"


def test_one_in_the_region_if_there_is_room() -> None:
    here, there = origin("a", 9, region="eu"), origin("b", 0, region="us")
    assert chosen(here, there, region="EU") == "a"
    assert chosen(here, there) == "b"
    assert chosen(here, there, region="mars") == "b"
    full = replace(here, node=replace(here.node, most_publishers=9))
    assert chosen(full, there, region="eu") == "b"


def test_one_that_answers_wherever_it_is() -> None:
    here = origin("a", region="eu", silent_since=SILENT)
    assert chosen(here, origin("b", 7, region="us"), region="eu") == "b"
    assert chosen(here, region="eu") == "a"  # better than none


def test_those_that_come_together_are_spread() -> None:
    origins = [origin("a", most_publishers=2), origin("b", 1, most_publishers=2)]
    found = spread(origins, [""] * 4)
    assert [one and one.name for one in found] == ["a", "a", "b", None]


ORIGINS = st.builds(
    origin,
    st.sampled_from("abcdef"),
    st.integers(0, 9),
    region=st.sampled_from(["", "eu", "us"]),
    weight=st.integers(1, 5),
    draining=st.booleans(),
    lost=st.booleans(),
    silent_since=st.sampled_from([None, SILENT]),
    most_publishers=st.sampled_from([None, 3, 6]),
)


@given(
    st.lists(ORIGINS, unique_by=lambda one: one.node.name).flatmap(
        lambda many: st.tuples(st.just(many), st.permutations(many))
    ),
    st.sampled_from(["", "eu", "us", "xx"]),
)
def test_the_order_in_which_they_come_is_nothing(
    both: tuple[list[Origin], list[Origin]], region: str
) -> None:
    assert choose(both[0], region) == choose(both[1], region)
