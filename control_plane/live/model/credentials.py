"""Where an encoder's or a viewer's secret arrives.

It may be in ``token``, in ``password`` or in the query as ``key``, ``pass`` or
``token``, by protocol and server version; MediaMTX up to v1.20.1 fills the first
two from the last in some cases only. A Bearer token is ``jwt`` in the query of v1.8.3
to v1.12.2.
"""

import contextlib
from collections.abc import Iterable, Sequence
from urllib.parse import unquote_plus

from msgspec import UNSET

from control_plane.base.secrets import Derived
from control_plane.base.tokens import BadToken, ViewerToken, read_viewer
from control_plane.live.model.auth_call import AuthCall
from control_plane.live.model.edges import EDGE, path_at_origin

QUERY_NAMES = ("key", "pass", "token")
#: Of an auth call: what was added to it the lists from v1.9.2 on do not show.
CALL_NAMES = (*QUERY_NAMES, "jwt")
LONGEST = 512  # characters; nothing that we give out is longer
MOST = 4  # each is hashed, within the node's lock; no encoder has more places


def candidates(call: AuthCall) -> list[str]:
    """What the caller may have meant, the likeliest first, no doubles, ``MOST``."""
    token = "" if call.token is UNSET else call.token
    return _first((token, call.password, *_values(call.query, CALL_NAMES)))


def from_query(query: str) -> list[str]:
    """Of a query as lists show it."""
    return _first(_values(query, QUERY_NAMES))


def viewer_token(keys: Derived, query: str, path: str) -> ViewerToken | None:
    """The one of this path, or an edge's, that a reader who is listed came with. Its
    expiry does not matter: that is looked at when it comes."""
    for text in from_query(query):
        with contextlib.suppress(BadToken):
            token = read_viewer(keys, text, None)
            if token.viewer == EDGE or token.path == path_at_origin(path)[1]:
                return token
    return None


def _values(query: str, names: Sequence[str]) -> list[str]:
    """By hand: this runs for every viewer, and parse_qsl costs as much as the rest."""
    if not query or len(query) > 4 * LONGEST:
        return []
    if "&" not in query and "%" not in query and "+" not in query:
        name, _, value = query.partition("=")
        return [value] if name in names else []
    pairs = [pair.partition("=") for pair in query.split("&")]
    return [
        unquote_plus(value)
        for wanted in names
        for name, _, value in pairs
        if name == wanted
    ]


def _first(texts: Iterable[str]) -> list[str]:
    found: list[str] = []
    for text in texts:
        if 0 < len(text) <= LONGEST and text not in found and len(found) < MOST:
            found.append(text)
    return found
