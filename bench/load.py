"""A client that calls as MediaMTX does: a new TCP connection for every call."""

import select
import socket
import time
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


def _check(answer: bytes) -> None:
    if not answer.startswith(b"HTTP/1.1 200"):
        raise WrongAnswer(answer[:60].decode("latin-1") or "an empty answer")
