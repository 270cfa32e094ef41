"""Where Redis keeps what it knows of sessions: with the node that each is on."""

from collections.abc import Iterable, Sequence

Place = tuple[int, str]  # session, node


def by_node(places: Iterable[Place], most: int) -> list[tuple[str, Sequence[int]]]:
    """Sessions of one node together, at most so many."""
    found: dict[str, list[int]] = {}
    for session_id, node in places:
        found.setdefault(node, []).append(session_id)
    return [
        (node, ids[start : start + most])
        for node, ids in found.items()
        for start in range(0, len(ids), most)
    ]
