"""Clients as apps are: each keeps its connection, and asks again once it is
answered."""

import re
import select
import socket
import time
from collections.abc import Sequence

from bench.load import Slice, WrongAnswer


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
    return Slice(time.perf_counter() - begin, sorted(latencies))


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
        if not body.startswith(_GOOD):
            raise WrongAnswer(body[:200].decode("latin-1"))
        return True

    def close(self) -> None:
        self._socket.close()


_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_GOOD = (b'{"code": 200', b'{"code":200')
