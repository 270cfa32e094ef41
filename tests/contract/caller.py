"""A caller of RTMP that says what it is told to, and no media."""

import asyncio
import contextlib
import os
import struct
from collections.abc import AsyncIterator

HANDSHAKE = 1536  # bytes of C1, S1, C2 and S2
CHUNK = 128  # bytes, until somebody says otherwise

Value = str | float | dict[str, str] | None


class Caller:
    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self._writer = writer
        self.heard = b""

    async def shake_hands(self) -> None:
        self._writer.write(b"\x03" + bytes(8) + os.urandom(HANDSHAKE - 8))
        answer = await self._reader.readexactly(1 + 2 * HANDSHAKE)
        self._writer.write(answer[1 : 1 + HANDSHAKE])

    async def publish(self, url: str, name: str, agent: str = "FMLE/3.0") -> None:
        """Up to the ``publish`` command, whose answer nobody has read yet."""
        app = url.rpartition("/")[2]
        await self.shake_hands()
        options = {"app": app, "type": "nonprivate", "flashVer": agent, "tcUrl": url}
        self.say("connect", 1.0, options)
        await self.until_heard(b"_result", 1)
        self.say("createStream", 2.0, None)
        await self.until_heard(b"_result", 2)
        self.say("publish", 3.0, None, name, "live", stream=1)

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    async def until_heard(self, what: bytes, times: int = 1) -> None:
        """ConnectionError when the other side hangs up first."""
        while self.heard.count(what) < times:
            data = await self._reader.read(4096)
            if not data:
                raise ConnectionError(self.heard[-200:])
            self.heard += data

    async def until_hung_up(self) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await self._reader.read(4096):
                self.heard += data

    def say(self, *values: Value, stream: int = 0) -> None:
        body = b"".join(_amf(value) for value in values)
        head = bytes(3) + len(body).to_bytes(3, "big") + b"\x14"
        self._writer.write(b"\x03" + head + struct.pack("<I", stream))
        parts = [body[at : at + CHUNK] for at in range(0, len(body), CHUNK)]
        self._writer.write(b"\xc3".join(parts))


def _amf(value: Value) -> bytes:
    match value:
        case None:
            return b"\x05"
        case str():
            return b"\x02" + _text(value)
        case float():
            return b"\x00" + struct.pack(">d", value)
        case dict():
            pairs = (_text(name) + _amf(one) for name, one in value.items())
            return b"\x03" + b"".join(pairs) + b"\x00\x00\x09"


def _text(text: str) -> bytes:
    return len(text).to_bytes(2, "big") + text.encode()


@contextlib.asynccontextmanager
async def calling(port: int, deadline: float = 15.0) -> AsyncIterator[Caller]:
    async with asyncio.timeout(deadline):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield Caller(reader, writer)
        finally:
            writer.transport.abort()
