"""Clients: as MediaMTX calls, on a new TCP connection each time, and as apps do, on
one that they keep."""

import re
import select
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slice:
    """What one slice of load gave. Latencies in seconds, sorted."""

    calls: int
    seconds: float
    latencies: list[float]

    @property
    def rate(self) -> float:
        return self.calls / self.seconds

    def quantile(self, part: float) -> float:
        return self.latencies[min(len(self.latencies) - 1, int(self.calls * part))]


class WrongAnswer(Exception):
    """The server under test did not answer as it should."""


def serial(port: int, request: bytes, seconds: float) -> Slice:
    """One call at a time: what one MediaMTX does, inside its lock."""
    latencies = []
    begin = time.perf_counter()
    while (start := time.perf_counter()) - begin < seconds:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(request)
            _check(connection.recv(4096))
        latencies.append(time.perf_counter() - start)
    return Slice(len(latencies), time.perf_counter() - begin, sorted(latencies))


def at_once(port: int, request: bytes, seconds: float, clients: int) -> Slice:
    """``clients`` calls on their way at any time. Bare sockets: a client that costs
    more than the server would measure itself."""
    latencies: list[float] = []
    poll = select.epoll()
    open_calls: dict[int, tuple[socket.socket, float]] = {}
    begin = time.perf_counter()

    def call() -> None:
        start = time.perf_counter()
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(request)
        poll.register(connection.fileno(), select.EPOLLIN)
        open_calls[connection.fileno()] = connection, start

    for _ in range(clients):
        call()
    while open_calls:
        for number, _ in poll.poll():
            connection, start = open_calls.pop(number)
            _check(connection.recv(4096))
            latencies.append(time.perf_counter() - start)
            poll.unregister(number)
            connection.close()
            if latencies[-1] + start - begin < seconds:
                call()
    poll.close()
    return Slice(len(latencies), time.perf_counter() - begin, sorted(latencies))


def kept(port: int, requests: Sequence[bytes], seconds: float) -> Slice:
    """A client for each request, which it sends again on the same connection as soon
    as the last answer is there."""
    latencies: list[float] = []
    poll = select.epoll()
    clients = {one.number: one for one in (_Kept(port, text) for text in requests)}
    begin = time.perf_counter()
    for one in clients.values():
        poll.register(one.number, select.EPOLLIN)
        one.ask()
    asking = len(clients)
    while asking:
        for number, _ in poll.poll():
            one = clients[number]
            if not one.answered():
                continue
            now = time.perf_counter()
            latencies.append(now - one.start)
            if now - begin < seconds:
                one.ask()
            else:
                asking -= 1
    poll.close()
    for one in clients.values():
        one.close()
    return Slice(len(latencies), time.perf_counter() - begin, sorted(latencies))


class _Kept:
    """One client of ``kept``."""

    def __init__(self, port: int, request: bytes) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request = request
        self._read = bytearray()
        self.number = self._socket.fileno()
        self.start = 0.0

    def ask(self) -> None:
        self._read.clear()
        self.start = time.perf_counter()
        self._socket.sendall(self._request)

    def answered(self) -> bool:
        self._read += self._socket.recv(65_536)
        head, blank, body = self._read.partition(b"\r\n\r\n")
        if not blank:
            return False
        if len(body) < int(_LENGTH.search(head)[1]):  # type: ignore[index]
            return False
        _check(head)
        if not body.startswith(_GOOD):
            raise WrongAnswer(body[:200].decode("latin-1"))
        return True

    def close(self) -> None:
        self._socket.close()


_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_GOOD = (b'{"code": 200', b'{"code":200')


def _check(answer: bytes | bytearray) -> None:
    if not answer.startswith(b"HTTP/1.1 200"):
        raise WrongAnswer(answer[:60].decode("latin-1") or "an empty answer")
