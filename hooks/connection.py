"""Connections of nodes. Setting one up is most of what an auth call costs.

A call that has arrived whole when its connection is taken, as nearly all have, is
answered there and then, and hung up. Everything else gets a transport: what has to be
waited for is answered by a task, and answers go out in the order of the requests.
Whatever no node sends gets a plain 4xx, and the connection is closed.
"""

import asyncio
import contextlib
import socket
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import structlog

from hooks.heads import Heads
from hooks.messages import CONTINUE, Answer, Request, encoded
from hooks.parsing import Parser, Refused

log = structlog.get_logger(__name__)

WHOLE_WITHIN = 10.0  # seconds for a request to arrive
IDLE_FOR = 75.0  # seconds between two of one connection
FIRST_READ = 8192  # bytes; an auth call has a tenth
#: The answer and the end of the connection go out as one packet.
TOGETHER: int = getattr(socket, "MSG_MORE", 0)

Answerer = Callable[[Request], "Answer | Awaitable[Answer]"]


class Connections:
    """All that are open. Makes the protocol of each new one."""

    def __init__(self, answerer: Answerer) -> None:
        self._answerer = answerer
        self._heads = Heads()
        self.open: set[Connection] = set()
        self.tasks: set[asyncio.Task[None]] = set()

    def admit(self, one: socket.socket) -> "Connection | None":
        """None: all is said. Nodes from v1.16.1 on call once and hang up; if we do so
        first, they are not left with ports that they cannot use for a minute."""
        try:
            data = one.recv(FIRST_READ)
        except BlockingIOError:
            return Connection(self)
        except OSError:
            return None
        if not data:
            return None
        request = self._heads.only_request(data)
        if request is None:
            return Connection(self, first=data)
        answer = self.answer(request)
        if not isinstance(answer, Answer) or answer.body:
            return Connection(self, begun=(request, answer))
        with contextlib.suppress(OSError):
            one.send(encoded(answer, keep=False), TOGETHER)
        one.close()
        finish(answer)
        return None

    def answer(self, request: Request) -> "Answer | Awaitable[Answer]":
        try:
            return self._answerer(request)
        except Exception:
            log.exception("a node's request failed")
            return Answer(503)

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


def finish(answer: Answer) -> None:
    if answer.after is not None:
        try:
            answer.after()
        except Exception:
            log.exception("not all was done after an answer")


class Connection(asyncio.Protocol):
    """One TCP connection of a node. ``first``: what has been read of it already;
    ``begun``: a request of it that is being answered."""

    def __init__(
        self,
        connections: Connections,
        *,
        first: bytes = b"",
        begun: "tuple[Request, Answer | Awaitable[Answer]] | None" = None,
    ) -> None:
        self._all = connections
        self._first = first
        self._begun = begun
        self._parser = Parser()
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[Request] = deque()
        self._busy = False
        self._closing = False
        self._since = time.monotonic()

    # What asyncio tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # TCP: a Transport
        self._all.open.add(self)
        if self._begun is not None:
            self._give(*self._begun)
            self._begun = None
        elif self._first:
            self.data_received(self._first)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._closing = True
        self._waiting.clear()
        self._all.open.discard(self)

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        if not self._parser.begun:
            self._since = time.monotonic()
        try:
            self._parser.feed(data)
        except Refused as refused:
            self._take(self._parser.whole())
            self._refuse(refused.status)
        else:
            self._take(self._parser.whole())

    def eof_received(self) -> bool:
        return self._busy  # half closed: the answer can still go out

    # Answers.

    def _take(self, requests: Sequence[Request]) -> None:
        if requests:
            self._since = time.monotonic()
        self._waiting.extend(requests)
        if not self._busy:
            self._go_on()

    def _go_on(self) -> None:
        while self._waiting and not self._closing:
            request = self._waiting.popleft()
            self._give(request, self._all.answer(request))
            if self._busy:
                return
        if self._parser.expects and self._transport is not None:
            self._parser.expects = False
            self._transport.write(CONTINUE)

    def _give(self, request: Request, answer: "Answer | Awaitable[Answer]") -> None:
        if isinstance(answer, Answer):
            self._send(request, answer)
            return
        self._busy = True
        if self._transport is not None:
            self._transport.pause_reading()
        task = asyncio.get_running_loop().create_task(self._later(request, answer))
        self._all.tasks.add(task)
        task.add_done_callback(self._all.tasks.discard)

    async def _later(self, request: Request, answer: Awaitable[Answer]) -> None:
        try:
            found = await answer
        except Exception:
            log.exception("a node's request failed")
            found = Answer(503)
        self._busy = False
        if self._closing or self._transport is None:
            return
        self._transport.resume_reading()
        self._send(request, found)
        self._go_on()

    def _send(self, request: Request, answer: Answer) -> None:
        if self._transport is None:
            return
        head_only = request.method == b"HEAD"
        self._transport.write(encoded(answer, keep=request.keep, head_only=head_only))
        if not request.keep:
            self.close()
        finish(answer)

    def _refuse(self, status: int) -> None:
        """What comes after it on this connection cannot be understood either."""
        self._waiting.clear()
        if self._transport is not None and not self._busy and not self._closing:
            self._transport.write(encoded(Answer(status), keep=False))
        self.close()

    def close(self) -> None:
        self._closing = True
        if self._transport is not None:
            self._transport.close()

    def close_if_late(self, now: float) -> None:
        if self._busy:
            return
        if self._parser.begun and now - self._since > WHOLE_WITHIN:
            self._refuse(408)
        elif now - self._since > IDLE_FOR:
            self.close()
