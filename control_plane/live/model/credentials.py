"""Where an encoder's or a viewer's secret arrives.

It may be in ``token``, in ``password`` or in the query as ``key``, ``pass`` or
``token``, by protocol and server version; MediaMTX up to v1.20.1 fills the first
two from the last in some cases only.
"""

from collections.abc import Iterable
from urllib.parse import unquote_plus

from msgspec import UNSET

from control_plane.live.model.auth_call import AuthCall

QUERY_NAMES = ("key", "pass", "token")
LONGEST = 512  # characters; nothing that we give out is longer
MOST = 4  # each is hashed, within the node's lock; no encoder has more places


def candidates(call: AuthCall) -> list[str]:
    """What the caller may have meant, the likeliest first, no doubles, ``MOST``."""
    token = "" if call.token is UNSET else call.token
    return _first([token, call.password, *from_query(call.query)])


def from_query(query: str) -> list[str]:
    if not query or len(query) > 4 * LONGEST:
        return []
    # By hand: this runs for every viewer, and parse_qsl costs as much as all the rest.
    pairs = [pair.partition("=") for pair in query.split("&")]
    return _first(
        unquote_plus(value)
        for name in QUERY_NAMES
        for key, _, value in pairs
        if key == name
    )


def _first(found: Iterable[str]) -> list[str]:
    texts: dict[str, None] = {}
    for text in found:
        if 0 < len(text) <= LONGEST:
            texts[text] = None
        if len(texts) == MOST:
            break
    return list(texts)
