"""Clients that call as MediaMTX does: a new TCP connection for every call."""

import json
import select
import socket
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.golang import Programs


@dataclass(frozen=True, slots=True)
class Slice:
    """What one slice of load gave. Latencies in seconds, sorted."""

    seconds: float
    latencies: list[float]

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def quantile(self, part: float) -> float:
        last = len(self.latencies) - 1
        return self.latencies[min(last, int(len(self.latencies) * part))]


#: Of a port, a request, the clients at any time, and how many seconds; 0: each calls
#: once.
Load = Callable[[int, bytes, int, float], Slice]


class WrongAnswer(Exception):
    """The server under test did not answer as it should."""


def client(programs: Programs | None) -> tuple[str, Load]:
    """Its name, and it: the compiled one where there is one."""
    if programs is None:
        return "bare sockets in Python, at most some 14,000 calls/s", sockets
    return "compiled (Go)", compiled(programs.load)


def compiled(program: Path) -> Load:
    def load(port: int, request: bytes, clients: int, seconds: float) -> Slice:
        done = subprocess.run(
            [program, str(port), str(clients), str(seconds)],
            input=request,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise WrongAnswer(done.stderr.decode())
        said = json.loads(done.stdout)
        latencies = sorted(one / 1e6 for one in said["latencies_us"])
        return Slice(said["seconds"], latencies)

    return load


def sockets(port: int, request: bytes, clients: int, seconds: float) -> Slice:
    """No HTTP client: one that costs more than the server would measure itself."""
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
            now = time.perf_counter()
            latencies.append(now - start)
            poll.unregister(number)
            connection.close()
            if now - begin < seconds:
                call()
    poll.close()
    return Slice(time.perf_counter() - begin, sorted(latencies))


def _check(answer: bytes) -> None:
    if not answer.startswith(b"HTTP/1.1 200"):
        raise WrongAnswer(answer[:60].decode("latin-1") or "an empty answer")


def median(slices: Sequence[Slice], of: Callable[[Slice], float]) -> float:
    return statistics.median(map(of, slices))
