"""The public listener's connections: how many there may be, and for how long one may
keep us waiting."""

import asyncio
import contextlib
import resource
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import cast

from aiohttp import web

from control_plane.base.seldom import Seldom
from control_plane.web.address import Addresses

HEAD_WITHIN = 10.0  # seconds for the whole head of a request
BODY_WITHIN = 30.0  # seconds for its body, once we read it
IDLE = 75.0  # seconds between requests; proxies keep theirs for 60
TAKEN_WITHIN = 120.0  # seconds that a client may take nothing of what we send

RECEIVED = 32_768  # bytes that are read, and parsed, before others get a turn

LEAST, RESERVE, PLENTY = 16, 1024, 65_536  # descriptors
SHARE = 8  # an address gets one of so many parts of all connections
LEAST_EACH = 32


@dataclass(frozen=True, slots=True)
class Room:
    together: int
    each: int


def room(descriptors: int | None = None) -> Room:
    """Half of what there is, or a thousand, is kept for nodes, Postgres and Redis. A
    connection may need a second descriptor, for the file that it downloads."""
    limit = descriptors or resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        limit = PLENTY
    together = max(LEAST, (limit - min(RESERVE, limit // 2)) // 2)
    return Room(together, max(LEAST_EACH, together // SHARE))


def take_all_descriptors() -> None:
    """Systems give 1024 to who does not ask, and more to who does."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # macOS names a limit it refuses
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Connections:
    """``freed`` is called whenever there is room again."""

    def __init__(
        self, inner: Callable[[], asyncio.Protocol], addresses: Addresses, room: Room
    ) -> None:
        self._inner = inner
        self._addresses = addresses
        self._most = room
        self._buffer = bytearray(RECEIVED)
        self._of: Counter[str] = Counter()
        self._seldom = Seldom()
        self.freed: Callable[[], None] = lambda: None

    def room(self) -> bool:
        return self._of.total() < self._most.together

    def admit(self, peer: str) -> "Connection | None":
        """Our own proxies bring everybody: only all together are limited there."""
        address = self._addresses.of_peer(peer)
        if address and self._of[address] >= self._most.each:
            self._seldom.warn("too many connections from one address", address=address)
            return None
        self._of[address] += 1
        return Connection(self._inner(), self._buffer, lambda: self._gone(address))

    def _gone(self, address: str) -> None:
        was_full = not self.room()
        self._of[address] -= 1
        if not self._of[address]:
            del self._of[address]
        if was_full:
            self.freed()


class Connection(asyncio.BufferedProtocol):
    """aiohttp's protocol, which waits for ever, under our patience."""

    def __init__(
        self, inner: asyncio.Protocol, buffer: bytearray, gone: Callable[[], None]
    ) -> None:
        """``buffer`` may be everybody's: it is filled and emptied in one step."""
        self._inner = inner
        self._buffer = buffer
        self._gone = gone
        self._busy = False
        self._due: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        _take_within(self._transport)
        self._expect(HEAD_WITHIN, self._no_head)
        self._inner.connection_made(transport)

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._due is None and not self._busy:
            self._expect(HEAD_WITHIN, self._no_head)
        self._inner.data_received(bytes(memoryview(self._buffer)[:nbytes]))

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._inner.connection_lost(exc)
        self._gone()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def begin(self, request: web.Request) -> None:
        """The head is here."""
        self._busy = True
        self._stop_waiting()
        if not request.content.is_eof():
            self._expect(BODY_WITHIN, lambda: self._no_body(request))

    def end(self) -> None:
        self._busy = False
        self._stop_waiting()

    def _no_head(self) -> None:
        self._due = None
        if self._transport is None:
            return
        if self._transport.get_write_buffer_size():
            # It takes its time with our last answer.
            self._expect(HEAD_WITHIN, self._no_head)
        else:
            self._transport.abort()

    def _no_body(self, request: web.Request) -> None:
        self._due = None
        if self._transport is not None and not request.content.is_eof():
            self._transport.abort()

    def _expect(self, seconds: float, otherwise: Callable[[], None]) -> None:
        self._due = asyncio.get_running_loop().call_later(seconds, otherwise)

    def _stop_waiting(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None


def _take_within(transport: asyncio.Transport) -> None:
    option = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux
    if option is not None:
        of = transport.get_extra_info("socket")
        of.setsockopt(socket.IPPROTO_TCP, option, int(TAKEN_WITHIN * 1000))


@web.middleware
async def patience(
    request: web.Request,
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> web.StreamResponse:
    """Tells a request's connection that it began and ended."""
    transport = request.transport
    connection = None if transport is None else transport.get_protocol()
    if not isinstance(connection, Connection):
        return await handler(request)
    connection.begin(request)
    try:
        return await handler(request)
    finally:
        connection.end()
