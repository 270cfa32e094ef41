"""Where a viewer reads, and under which path."""

from dataclasses import replace
from datetime import UTC, datetime
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from control_plane.live.model.edges import (
    lot,
    path_at_edge,
    path_at_origin,
    room_beside,
    share,
    source,
)
from control_plane.live.model.nodes import Node

ORIGIN = Node("eu-1", "", "", "", "", "", "", region="eu", most_readers=2)
EDGES = [
    replace(ORIGIN, name=f"{region}-edge-{n}", role="cache", region=region)
    for region in ("eu", "us")
    for n in range(3)
]
FULL = {"eu-1": 2}
NOBODY = {"us-1": 0} | {edge.name: 0 for edge in (ORIGIN, *EDGES)}


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


def test_bits_are_room_too() -> None:
    origin = replace(ORIGIN, most_readers=None, most_bits=1000, bits=999)
    assert source(origin, EDGES, {}, "v", "us") is origin
    full = replace(origin, bits=1000)
    edges = [replace(edge, most_bits=1000, bits=1000) for edge in EDGES[:2]]
    assert source(full, [*edges, EDGES[2]], {}, "v", "us") is EDGES[2]
    beside = [edges[0], replace(EDGES[1], most_readers=90, most_bits=1000, bits=600)]
    assert room_beside(EDGES[2], beside, NOBODY | {"eu-edge-1": 6}) == 4


def test_who_comes_again_reads_there_again() -> None:
    """Also when another edge goes."""
    before = {f"v{n}": chosen(f"v{n}") for n in range(60)}
    left = [edge for edge in EDGES if edge.name != "us-edge-1"]
    for viewer, edge in before.items():
        assert chosen(viewer) == edge
        if edge != "us-edge-1":
            assert chosen(viewer, edges=left) == edge


def test_as_many_are_let_go_as_there_is_room_for() -> None:
    lots = [lot("eu-edge-0", f"v{n}") for n in range(40)]
    gone = share(lots, 7)
    assert sum(one < gone for one in lots) == 7
    staying = [one for one in lots if one >= gone]
    assert sum(one < share(staying, 5) for one in lots) == 12
    assert share(staying, 33) == 1.0


def test_room_beside_an_edge() -> None:
    """Of an origin's room only its own broadcasts' viewers have a part."""
    far = replace(ORIGIN, name="us-1", most_readers=9)
    nodes = [ORIGIN, far, *EDGES[:3]]
    assert room_beside(EDGES[0], nodes, NOBODY) == 2 + 2 + 2
    assert room_beside(EDGES[0], nodes, NOBODY | FULL | {"eu-edge-1": 1}) == 1 + 2
    assert room_beside(EDGES[0], nodes, {"eu-edge-1": 1, "us-1": 0}) == 1
    silent = replace(EDGES[1], silent_since=datetime.now(UTC))
    assert room_beside(EDGES[0], [EDGES[0], silent, EDGES[2]], NOBODY) == 2
    free = replace(EDGES[1], most_readers=None)
    assert room_beside(EDGES[0], [EDGES[0], free], {}) == inf


def test_twice_the_weight_is_twice_the_viewers() -> None:
    edges = [replace(EDGES[0], weight=2), EDGES[1]]
    heavy = [chosen(f"v{n}", edges=edges) == "eu-edge-0" for n in range(600)]
    assert 340 < sum(heavy) < 460
