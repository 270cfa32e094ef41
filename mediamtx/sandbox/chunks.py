"""The chunks of an RTMP connection.

pyrtmp's own reader gives a message that begins without a header the time of the one
before, so that the sound of a silent ffmpeg falls behind; and it loses its place at
timestamps beyond 4.6 hours.
"""

from dataclasses import dataclass
from typing import Any

from pyrtmp.messages import RawChunk
from pyrtmp.session_manager import SessionManager

EXTENDED = 0xFFFFFF  # in place of a timestamp: the real one follows in 4 bytes
MOST_WAITING = 8 * 1024 * 1024  # bytes of messages that are not yet whole
WRAP = 1 << 32


@dataclass
class ChunkStream:
    """What a chunk without a header repeats."""

    timestamp: int = 0
    delta: int = 0
    length: int = 0
    kind: int = 0
    stream_id: int = 0
    extended: bool = False
    received: int = 0  # bytes of the message that is not yet whole


class Session(SessionManager):  # type: ignore[misc]
    def __init__(self, **streams: Any) -> None:
        super().__init__(**streams)
        self._chunk_streams: dict[int, ChunkStream] = {}
        self._waiting = 0

    async def read_raw_chunk(self) -> RawChunk:
        """KeyError or ValueError for what is no RTMP, or too much of it."""
        form, id_ = await self._basic_header()
        before = self._chunk_streams.get(id_)
        now = await self._header(form, before or ChunkStream(), before is not None)
        self._chunk_streams[id_] = now
        size = min(self.reader_chunk_size, now.length - now.received)
        payload = await self._bytes(size)
        now.received += size
        is_whole = now.received == now.length
        if is_whole:
            now.received = 0
            self._waiting -= now.length
        return RawChunk(
            chunk_type=form,
            chunk_id=id_,
            timestamp=now.timestamp,
            msg_length=now.length,
            msg_type_id=now.kind,
            msg_stream_id=now.stream_id,
            payload=payload,
            is_eof=is_whole,
        )

    async def _basic_header(self) -> tuple[int, int]:
        first = await self._number(1)
        form, id_ = first >> 6, first & 0x3F
        if id_ == 0:
            id_ = 64 + await self._number(1)
        elif id_ == 1:
            low, high = await self._bytes(2)
            id_ = 64 + low + (high << 8)
        return form, id_

    async def _header(self, form: int, now: ChunkStream, is_known: bool) -> ChunkStream:
        if form > 0 and not is_known:
            raise ValueError("A chunk that repeats nothing.")
        if form < 3 and now.received:
            raise ValueError("A message that begins within another.")
        if form < 3:
            await self._own_header(form, now)
        elif now.extended:
            await self._number(4)
        if not now.received:
            self._begin(form, now)
        return now

    async def _own_header(self, form: int, now: ChunkStream) -> None:
        """Form 0 holds all, 1 no stream, 2 only the time."""
        time = await self._number(3)
        if form < 2:
            now.length, now.kind = await self._number(3), await self._number(1)
        if form == 0:
            now.stream_id = int.from_bytes(await self._bytes(4), "little")
            now.timestamp = 0
        now.extended = time == EXTENDED
        now.delta = await self._number(4) if now.extended else time

    def _begin(self, form: int, now: ChunkStream) -> None:
        now.timestamp = (now.timestamp + now.delta) % WRAP
        self._waiting += now.length
        if self._waiting > MOST_WAITING:
            raise ValueError("Too many bytes of messages that are not whole.")

    async def _number(self, size: int) -> int:
        return int.from_bytes(await self._bytes(size), "big")

    async def _bytes(self, size: int) -> bytes:
        if not size:
            return b""
        read: bytes = await self.fifo_reader.read(f"bytes:{size}")
        return read
