"""What nodes ask and what we answer."""

from collections.abc import Callable
from typing import NamedTuple


class Request(NamedTuple):
    method: bytes
    path: bytes  # without the query
    authorization: bytes
    body: bytes
    keep: bool = True  # the connection, if we want to


class Answer(NamedTuple):
    """``after``: what remains to be done once it is on its way."""

    status: int
    body: bytes = b""
    content_type: bytes = b""
    after: Callable[[], None] | None = None


CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_REASONS = {
    200: b"OK",
    204: b"No Content",
    400: b"Bad Request",
    401: b"Unauthorized",
    404: b"Not Found",
    408: b"Request Timeout",
    413: b"Content Too Large",
    417: b"Expectation Failed",
    503: b"Service Unavailable",
}
_EMPTY = {
    (status, keep): b"HTTP/1.1 %d %s\r\n%s%s\r\n"
    % (
        status,
        reason,
        b"" if status == 204 else b"Content-Length: 0\r\n",
        b"" if keep else b"Connection: close\r\n",
    )
    for status, reason in _REASONS.items()
    for keep in (True, False)
}


def encoded(answer: Answer, *, keep: bool, head_only: bool = False) -> bytes:
    if not answer.body:
        return _EMPTY[answer.status, keep]
    return b"HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n%s" % (
        answer.status,
        _REASONS[answer.status],
        answer.content_type,
        len(answer.body),
        b"" if keep else b"Connection: close\r\n",
        b"" if head_only else answer.body,
    )
