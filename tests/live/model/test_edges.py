"""Where a viewer reads, and under which path."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from control_plane.live.model.edges import path_at_edge, path_at_origin, source
from control_plane.live.model.nodes import Node

ORIGIN = Node("eu-1", "", "", "", "", "", "", region="eu", most_readers=2)
EDGES = [
    replace(ORIGIN, name=f"{region}-edge-{n}", role="cache", region=region)
    for region in ("eu", "us")
    for n in range(3)
]
FULL = {"eu-1": 2}


def chosen(
    viewer: str = "v", region: str = "us", edges: list[Node] = EDGES, **readers: int
) -> str:
    full = FULL | {name.replace("_", "-"): count for name, count in readers.items()}
    return source(ORIGIN, edges, full, viewer, region).name


@given(st.from_regex(r"live/[A-Za-z0-9_-]+", fullmatch=True))
def test_a_path_is_found_again(path: str) -> None:
    assert path_at_origin(path_at_edge("live", path)) == ("live", path)
    assert path_at_origin(path) == ("", path)


def test_the_origin_while_it_has_room() -> None:
    assert source(ORIGIN, EDGES, {}, "v", "us") is ORIGIN
    assert (
        source(replace(ORIGIN, most_readers=None), EDGES, FULL, "v", "").name == "eu-1"
    )


def test_then_an_edge_of_the_viewers_region() -> None:
    assert {chosen(f"v{n}") for n in range(50)} == {f"us-edge-{n}" for n in range(3)}
    assert len({chosen(f"v{n}", "nowhere") for n in range(100)}) == 6


def test_with_room_and_up() -> None:
    assert chosen(us_edge_0=2, us_edge_1=2) == "us-edge-2"
    assert chosen(us_edge_0=2, us_edge_1=2, us_edge_2=2).startswith("eu-edge-")
    down = [replace(edge, draining=edge.name != "eu-edge-1") for edge in EDGES]
    assert chosen(edges=down) == "eu-edge-1"
    assert chosen(edges=[replace(edge, lost=True) for edge in EDGES]) == "eu-1"


def test_none_that_is_silent_while_another_answers() -> None:
    silent = [replace(edge, silent_since=datetime.now(UTC)) for edge in EDGES]
    assert chosen(edges=[*silent[:5], EDGES[5]]) == "us-edge-2"
    assert chosen(edges=silent).startswith("us-edge-")


def test_where_nothing_has_room_the_least_full() -> None:
    assert chosen(edges=EDGES[:2], eu_edge_0=9, eu_edge_1=8) == "eu-1"
    assert chosen(edges=EDGES[:1], eu_edge_0=2, eu_1=3) == "eu-edge-0"


def test_who_comes_again_reads_there_again() -> None:
    """Also when another edge goes."""
    before = {f"v{n}": chosen(f"v{n}") for n in range(60)}
    left = [edge for edge in EDGES if edge.name != "us-edge-1"]
    for viewer, edge in before.items():
        assert chosen(viewer) == edge
        if edge != "us-edge-1":
            assert chosen(viewer, edges=left) == edge


def test_twice_the_weight_is_twice_the_viewers() -> None:
    edges = [replace(EDGES[0], weight=2), EDGES[1]]
    heavy = [chosen(f"v{n}", edges=edges) == "eu-edge-0" for n in range(600)]
    assert 340 < sum(heavy) < 460
