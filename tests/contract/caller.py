"""A caller of RTMP that says what it is told to, and no media."""

import asyncio
import contextlib
import os
import struct
from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

HANDSHAKE = 1536  # bytes of C1, S1, C2 and S2
CHUNK = 128  # bytes, until somebody says otherwise

COMMAND, METADATA = 0x14, 0x12  # kinds of messages


class Facts(NamedTuple):
    """An "ECMA array"; writers are free to say that it has another size."""

    values: Mapping[str, "Value"]
    said: int


Value = str | bytes | float | dict[str, "Value"] | list[str] | Facts | None


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

    async def connect(
        self,
        url: str,
        agent: str = "FMLE/3.0",
        more: Mapping[str, Value] = MappingProxyType({}),
    ) -> None:
        """Up to a stream that can be published. ``more``: options of ``connect``."""
        app = url.rpartition("/")[2]
        await self.shake_hands()
        options: dict[str, Value] = {"app": app, "type": "nonprivate"}
        self.say(
            "connect", 1.0, {**options, **more} | {"flashVer": agent, "tcUrl": url}
        )
        await self.until_heard(b"_result", 1)
        self.say("createStream", 2.0, None)
        await self.until_heard(b"_result", 2)

    async def publish(
        self, url: str, name: str | bytes, agent: str = "FMLE/3.0"
    ) -> None:
        """Up to the ``publish`` command, whose answer nobody has read yet."""
        await self.connect(url, agent)
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

    def say(self, *values: Value, stream: int = 0, kind: int = COMMAND) -> None:
        body = b"".join(_amf(value) for value in values)
        head = bytes(3) + len(body).to_bytes(3, "big") + bytes([kind])
        self._writer.write(b"\x03" + head + struct.pack("<I", stream))
        parts = [body[at : at + CHUNK] for at in range(0, len(body), CHUNK)]
        self._writer.write(b"\xc3".join(parts))


def _amf(value: Value) -> bytes:
    match value:
        case None:
            return b"\x05"
        case str():
            return b"\x02" + _text(value.encode())
        case bytes():
            return b"\x02" + _text(value)
        case Facts():
            return b"\x08" + struct.pack(">I", value.said) + _pairs(value.values)
        case list():
            return b"\x0a" + struct.pack(">I", len(value)) + b"".join(map(_amf, value))
        case float():
            return b"\x00" + struct.pack(">d", value)
        case dict():
            return b"\x03" + _pairs(value)


def _pairs(values: Mapping[str, Value]) -> bytes:
    pairs = (_text(name.encode()) + _amf(one) for name, one in values.items())
    return b"".join(pairs) + b"\x00\x00\x09"


def _text(text: bytes) -> bytes:
    return len(text).to_bytes(2, "big") + text


@contextlib.asynccontextmanager
async def calling(port: int, deadline: float = 60.0) -> AsyncIterator[Caller]:
    async with asyncio.timeout(deadline):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield Caller(reader, writer)
        finally:
            writer.transport.abort()
