"""Which origin takes a broadcast."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from control_plane.live.model.nodes import Node


@dataclass(frozen=True, slots=True)
class Origin:
    """``broadcasts``: that are open there, those without a picture too: each needs a
    place."""

    node: Node
    broadcasts: int

    @property
    def has_room(self) -> bool:
        free = room(self.node.most_publishers, self.broadcasts) != 0
        return free and self.node.has_bits


def choose(origins: Iterable[Origin], region: str = "") -> Node | None:
    """Of those that take broadcasts and have room: one that answers, in the region
    asked for, with the least to do for its weight, the first by name. Only the first
    two conditions are musts."""
    fit = [one for one in origins if one.node.state == "active" and one.has_room]
    best = min(fit, key=lambda one: _rank(one, region), default=None)
    return None if best is None else best.node


def spread(origins: Iterable[Origin], regions: Iterable[str]) -> list[Node | None]:
    """One for each, one after the other: each takes a place."""
    known = {one.node.name: one for one in origins}
    found = []
    for region in regions:
        node = choose(known.values(), region)
        if node is not None:
            broadcasts = known[node.name].broadcasts + 1
            known[node.name] = replace(known[node.name], broadcasts=broadcasts)
        found.append(node)
    return found


def room(most: int | None, taken: int) -> int | None:
    """None: no bound."""
    return None if most is None else max(0, most - taken)


def _rank(one: Origin, region: str) -> tuple[bool, bool, float, str]:
    node = one.node
    elsewhere = bool(region) and node.region.lower() != region.lower()
    load = (one.broadcasts + 1) / node.weight  # as it would be
    return not node.is_well, elsewhere, load, node.name
