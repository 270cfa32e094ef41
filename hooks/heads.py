"""Requests that come whole, from nodes that say the same again and again: parsing
their heads is most of what remains to be done for an auth call."""

import contextlib

from hooks.messages import Request
from hooks.parsing import Parser, Refused

MOST = 1024  # each length of a body makes one, for each node
NONE = -1, Request(b"", b"", b"", b"")


class Heads:
    """Those that were parsed, and what they ask for: but for the body, of which only
    the length is kept."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[int, Request]] = {}
        self._parser = Parser()

    def only_request(self, data: bytes) -> Request | None:
        """None if this is less or more than one, or none that a node sends."""
        head, blank, body = data.partition(b"\r\n\r\n")
        length, known = self._known.get(head, NONE)
        if blank and len(body) == length:
            return Request(known.method, known.path, known.authorization, body)
        only = self._parsed(data)
        if only is not None and only.keep and only.body == body:  # so, not in chunks
            self._remember(head, only)
        return only

    def _remember(self, head: bytes, request: Request) -> None:
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[head] = len(request.body), request._replace(body=b"")

    def _parsed(self, data: bytes) -> Request | None:
        found: list[Request] = []
        with contextlib.suppress(Refused):
            self._parser.feed(data)
            found = self._parser.whole()
        only = found[0] if len(found) == 1 and not self._parser.begun else None
        if only is None or not only.keep:  # it takes no more, or is amid something
            self._parser = Parser()
        return only
