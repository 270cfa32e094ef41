"""HTTP/1.1 for nodes: small and strict, because connection set-up and parsing are
most of what an auth call costs.

A request is answered at once where that can be (the auth call from memory), else by a
task; answers go out in the order of the requests. Whatever is no request that a node
sends gets a plain 4xx and the connection is closed.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import httptools
import structlog

log = structlog.get_logger(__name__)

LARGEST_HEAD = 16 * 1024  # bytes
LARGEST_BODY = 64 * 1024  # bytes
LARGEST = LARGEST_HEAD + LARGEST_BODY
WHOLE_WITHIN = 10.0  # seconds for a request to arrive
IDLE_FOR = 75.0  # seconds between two of one connection


class Request(NamedTuple):
    method: bytes
    path: bytes  # without the query
    authorization: bytes
    body: bytes


class Answer(NamedTuple):
    """``after``: what remains to be done once it is on its way."""

    status: int
    body: bytes = b""
    content_type: bytes = b""
    after: Callable[[], None] | None = None


Answerer = Callable[[Request], "Answer | Awaitable[Answer]"]

_REASONS = {
    200: b"OK",
    204: b"No Content",
    400: b"Bad Request",
    401: b"Unauthorized",
    404: b"Not Found",
    408: b"Request Timeout",
    413: b"Content Too Large",
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
#: Most headers are neither, which their length tells at once.
AUTHORIZATION, EXPECT = len("authorization"), len("expect")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def encoded(answer: Answer, *, keep: bool) -> bytes:
    if not answer.body:
        return _EMPTY[answer.status, keep]
    return b"HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n%s" % (
        answer.status,
        _REASONS[answer.status],
        answer.content_type,
        len(answer.body),
        b"" if keep else b"Connection: close\r\n",
        answer.body,
    )


class Connections:
    """All that are open. Makes the protocol of each new one."""

    def __init__(self, answerer: Answerer) -> None:
        self.answerer = answerer
        self.open: set[Connection] = set()
        self.tasks: set[asyncio.Task[None]] = set()

    def new(self) -> "Connection":
        return Connection(self)

    def sweep(self) -> None:
        """Close those that take too long. Call it about once a second: a timer for
        each connection would cost more than all the rest."""
        now = time.monotonic()
        for connection in list(self.open):
            connection.close_if_late(now)

    async def drain(self, within: float) -> None:
        """What is being answered goes out; then all are closed."""
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=within)
        for connection in list(self.open):
            connection.close()


class Connection(asyncio.Protocol):
    """One TCP connection of a node."""

    __slots__ = (
        "_all",
        "_authorization",
        "_body",
        "_busy",
        "_closing",
        "_expects",
        "_parser",
        "_since",
        "_size",
        "_transport",
        "_url",
        "_waiting",
    )

    def __init__(self, connections: Connections) -> None:
        self._all = connections
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[tuple[Request, bool]] = deque()
        self._busy = False
        self._closing = False
        self._size = 0  # bytes of the request that is arriving
        self._since = time.monotonic()
        self._start()

    def _start(self) -> None:
        self._url = b""
        self._authorization = b""
        self._expects = False
        self._body = b""

    # What asyncio tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # TCP: a Transport
        self._all.open.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._closing = True
        self._waiting.clear()
        self._all.open.discard(self)

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        if not self._size:
            self._since = time.monotonic()
        self._size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._refuse(400)
            return
        if self._size > LARGEST:
            self._refuse(413)

    def eof_received(self) -> bool:
        return self._busy  # half closed: the answer can still go out

    # What the parser tells.

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        size = len(name)
        if size == AUTHORIZATION and name.lower() == b"authorization":
            self._authorization = value
        elif size == EXPECT and name.lower() == b"expect":
            self._expects = True

    def on_headers_complete(self) -> None:
        if self._expects and self._transport is not None:
            self._transport.write(_CONTINUE)

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > LARGEST_BODY:
            raise TooLarge

    def on_message_complete(self) -> None:
        path, _, _ = self._url.partition(b"?")
        request = Request(
            self._parser.get_method(), path, self._authorization, self._body
        )
        self._waiting.append((request, self._parser.should_keep_alive()))
        self._size = 0
        self._since = time.monotonic()
        self._start()
        if not self._busy:
            self._answer_waiting()

    # Answers.

    def _answer_waiting(self) -> None:
        while self._waiting and not self._closing:
            request, keep = self._waiting.popleft()
            answer = self._all.answerer(request)
            if not isinstance(answer, Answer):
                self._answer_later(answer, keep=keep)
                return
            self._send(answer, keep=keep)

    def _answer_later(self, answer: Awaitable[Answer], *, keep: bool) -> None:
        self._busy = True
        if self._transport is not None:
            self._transport.pause_reading()

        async def finish() -> None:
            try:
                found = await answer
            except Exception:
                log.exception("a node's request failed")
                found = Answer(503)
            self._busy = False
            if self._closing or self._transport is None:
                return
            self._transport.resume_reading()
            self._send(found, keep=keep)
            self._answer_waiting()

        task = asyncio.get_running_loop().create_task(finish())
        self._all.tasks.add(task)
        task.add_done_callback(self._all.tasks.discard)

    def _send(self, answer: Answer, *, keep: bool) -> None:
        if self._transport is None:
            return
        self._transport.write(encoded(answer, keep=keep))
        if not keep:
            self.close()
        if answer.after is not None:
            answer.after()

    def _refuse(self, status: int) -> None:
        """What comes after it on this connection cannot be understood either."""
        self._waiting.clear()
        if self._transport is not None and not self._busy:
            self._transport.write(_EMPTY[status, False])
        self.close()

    def close(self) -> None:
        self._closing = True
        if self._transport is not None:
            self._transport.close()

    def close_if_late(self, now: float) -> None:
        if self._busy:
            return
        if self._size and now - self._since > WHOLE_WITHIN:
            self._refuse(408)
        elif now - self._since > IDLE_FOR:
            self.close()


class TooLarge(Exception):
    """Ends the parser's work on a body."""
