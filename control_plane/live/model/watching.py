"""A broadcast as viewers see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from control_plane.live.model.nodes import Node
from control_plane.live.model.sessions import LiveSession


@dataclass(frozen=True, slots=True)
class Broadcast:
    """``viewers`` are counted elsewhere. ``pictured``: there is a picture of it that
    everybody may see. ``leaving``: of edges that drain, the share of viewers that goes
    elsewhere."""

    session: LiveSession
    node: Node
    host_picture: str
    viewers: int = 0
    pictured: bool = False
    leaving: Mapping[str, float] = field(default_factory=dict)


def session_id(name: str) -> int | None:
    """The session that ``name`` means; None: it is a channel's. 0: nothing's."""
    if not (name.isascii() and name.isdigit()):
        return None
    return int(name) if len(name) <= 10 and int(name) <= 2_147_483_647 else 0


def is_over(name: str, broadcast: Broadcast | None) -> bool:
    """Nothing will change any more. A channel may begin again."""
    if session_id(name) is None or broadcast is None:
        return False
    return not broadcast.session.is_open
