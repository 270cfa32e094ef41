"""Edges serve what they get from origins: which viewer goes to which, and under which
path. ``live/12`` of the origin ``eu-1`` is ``eu-1/live/12`` there."""

import hashlib
import math
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence

from control_plane.base.secrets import Derived, SigningKeys
from control_plane.base.tokens import ViewerToken, sign_viewer
from control_plane.live.model.nodes import Node

#: An edge that reads from an origin is no viewer. No viewer has a name so short.
EDGE = "edges"

#: A cache asks about each viewer again when an answer is this old, in seconds …
ASKS_AFTER = 10
#: … so whoever plays is heard of within this time: nginx counts whole seconds, and
#: players ask for something every segment.
BEAT = 16.0

#: Seconds until a viewer who was sent somewhere is among the readers there.
ARRIVES = 20.0
#: Seconds without a gap after which all is known of those who ask at a cache: who
#: plays, and how many asked in the ten seconds before these.
KNOWN_AFTER = 2.0 * ASKS_AFTER

STREAMS = "/live/"


def path_at_origin(path: str) -> tuple[str, str]:
    """The origin, empty where ``path`` is an origin's own, and the path there."""
    origin, found, name = path.partition(STREAMS)
    return (origin, f"live/{name}") if found else ("", path)


def path_at_edge(origin: str, path: str) -> str:
    return f"{origin}/{path}"


def pull_token(viewer_key: Derived, edge: str) -> str:
    """With it an edge reads from origins, whatever is live, and can do nothing else."""
    return sign_viewer(viewer_key, ViewerToken(EDGE, edge, 0, 2**31 - 1))


def signed(keys: SigningKeys, origin: str, path: str, expires_at: int) -> str:
    """What stands before the path in an address that opens all of ``path`` until then,
    as nginx's secure_link checks it: a hash of what it opens and a secret."""
    (name, key), *_ = keys
    text = f"{expires_at}/{path_at_edge(origin, path)}/ {key}"
    digest = hashlib.md5(text.encode()).digest()  # noqa: S324  (nginx has no other)
    return f"{name}.{expires_at}.{urlsafe_b64encode(digest).decode().rstrip('=')}"


def source(
    origin: Node,
    edges: Sequence[Node],
    readers: Mapping[str, float],
    viewer: str,
    region: str,
) -> Node:
    """Where ``viewer`` reads: at the origin while it has room, else at an edge near by
    that has. ``readers``: of each node, without this one.

    The same edge for the same viewer, as long as the same edges have room.
    """
    if has_room(origin, readers):
        return origin
    up = [edge for edge in edges if edge.state == "active"]
    # One that has fallen silent may be gone: whose player has lost it comes again.
    up = [edge for edge in up if edge.is_well] or up
    roomy = [edge for edge in up if has_room(edge, readers)]
    # Whom a CDN serves nobody counts, and can cut at once.
    roomy = [edge for edge in roomy if edge.role != "cdn"] or roomy
    near = [edge for edge in roomy if edge.region == region]
    if near or roomy:
        return max(near or roomy, key=lambda edge: _lot(edge, viewer))
    return min([origin, *up], key=lambda node: _fullness(node, readers))


def lot(edge: str, viewer: str) -> float:
    """Above 0, up to 1. Whoever has drawn less than an edge has let go, goes."""
    return _drawn(f"{viewer} {edge}")


def share(staying: Sequence[float], count: int) -> float:
    """To be let go, so that of those with these lots ``count`` go."""
    return 1.0 if count >= len(staying) else sorted(staying)[count]


def room_beside(edge: Node, nodes: Sequence[Node], readers: Mapping[str, int]) -> float:
    """For how many more: at the other edges, and at the fullest origin, since each
    serves its own broadcasts only. ``readers``: of those where they are known."""
    others = [one for one in nodes if one.is_well and one.name != edge.name]
    free = [(one.role == "origin", _free(one, readers)) for one in others]
    at_origin = min((room for is_origin, room in free if is_origin), default=0)
    return at_origin + sum(room for is_origin, room in free if not is_origin)


def _free(node: Node, readers: Mapping[str, int]) -> float:
    there = readers.get(node.name)
    if there is None:
        is_bound = node.most_readers is not None or node.most_bits is not None
        return 0 if is_bound else math.inf
    free = math.inf if node.most_readers is None else node.most_readers - there
    if node.most_bits is not None and node.bits:
        free = min(free, (node.most_bits - node.bits) * max(1, there) // node.bits)
    return max(0, free)


def has_room(node: Node, readers: Mapping[str, float]) -> bool:
    return _fullness(node, readers) < 1.0


def _fullness(node: Node, readers: Mapping[str, float]) -> float:
    bits = 0.0 if node.most_bits is None else node.bits / node.most_bits
    if node.most_readers is None:
        return bits
    return max(bits, readers.get(node.name, 0.0) / node.most_readers)


def _lot(edge: Node, viewer: str) -> float:
    """Weighted rendezvous hashing: when an edge goes, only its own viewers move."""
    return edge.weight / -math.log(_drawn(f"{edge.name} {viewer}"))


def _drawn(text: str) -> float:
    drawn = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return (int.from_bytes(drawn) + 1) / (2**64 + 2)
