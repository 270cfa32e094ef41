"""A client that calls as MediaMTX does: a new TCP connection for every call."""

import asyncio
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
    return asyncio.run(_at_once(port, request, seconds, clients))


async def _at_once(port: int, request: bytes, seconds: float, clients: int) -> Slice:
    latencies: list[float] = []
    begin = time.perf_counter()

    async def client() -> None:
        loop = asyncio.get_running_loop()
        while (start := time.perf_counter()) - begin < seconds:
            with socket.socket() as connection:
                connection.setblocking(False)
                await loop.sock_connect(connection, ("127.0.0.1", port))
                await loop.sock_sendall(connection, request)
                _check(await loop.sock_recv(connection, 4096))
            latencies.append(time.perf_counter() - start)

    await asyncio.gather(*(client() for _ in range(clients)))
    return Slice(len(latencies), time.perf_counter() - begin, sorted(latencies))


def _check(answer: bytes) -> None:
    if not answer.startswith(b"HTTP/1.1 200"):
        raise WrongAnswer(answer[:60].decode("latin-1") or "an empty answer")
