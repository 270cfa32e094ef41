"""The real Valkey over a simulated wire. It never lets anybody wait, so a plain socket
that blocks will do."""

import socket
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from tests.simulator.network import Wire

Stream = tuple["Reader", "Writer"]


class Valkey:
    def __init__(self, address: tuple[str, int], password: str, wire: Wire) -> None:
        self._address = address
        self._password = password
        self.wire = wire
        self._open: dict[Writer, None] = {}

    async def open_connection(self, *_: object, **__: object) -> Stream:
        await self.wire.travel()
        one = self._connected()
        writer = Writer(one, self.wire)
        self._open[writer] = None
        return Reader(one, writer), writer

    def forget_everything(self) -> None:
        with self._connected() as one:
            one.sendall(b"FLUSHALL\r\n")
            one.recv(100)

    def _connected(self) -> socket.socket:
        one = socket.create_connection(self._address)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one.sendall(f"AUTH {self._password}\r\n".encode())
        one.recv(100)
        return one

    def cut_all(self) -> None:
        for writer in self._open:
            writer.close()
        self._open.clear()


class Writer:
    def __init__(self, one: socket.socket, wire: Wire) -> None:
        self._socket = one
        self._wire = wire
        self._waiting = b""
        self.closed = False
        self.transport = SimpleNamespace(get_extra_info=lambda _: None)

    def writelines(self, chunks: Iterable[bytes]) -> None:
        self._waiting += b"".join(chunks)

    def write(self, chunk: bytes) -> None:
        self._waiting += chunk

    async def drain(self) -> None:
        await self._wire.travel()
        if self.closed:
            raise ConnectionResetError("closed")
        self._socket.sendall(self._waiting)
        self._waiting = b""

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True
        self._socket.close()

    async def wait_closed(self) -> None:
        pass

    def get_extra_info(self, _: str) -> Any:
        return None


class Reader:
    """Answers are there as soon as they are asked for."""

    _buffer = b""

    def __init__(self, one: socket.socket, writer: Writer) -> None:
        self._file = one.makefile("rb")
        self._writer = writer

    async def readline(self) -> bytes:
        self._check()
        return self._file.readline()

    async def readexactly(self, count: int) -> bytes:
        self._check()
        return self._file.read(count)

    def at_eof(self) -> bool:
        return self._writer.closed

    def _check(self) -> None:
        if self._writer.closed:
            raise ConnectionResetError("closed")
