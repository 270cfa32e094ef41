"""RTMP in: one connection from the handshake to its end."""

import asyncio
import contextlib
import itertools
import logging
import uuid
from typing import Any

from mediamtx.sandbox import amf
from mediamtx.sandbox.muxer import Muxer, TooSlow
from mediamtx.sandbox.paths import Node, Publisher

_level = logging.getLogger().level
_handlers = logging.getLogger().handlers[:]
from bitstring import BitStream  # noqa: E402
from pyrtmp import StreamClosedException  # noqa: E402
from pyrtmp.amf.serializers import AMF0Serializer  # noqa: E402
from pyrtmp.flv import FLVMediaType, FLVWriter  # noqa: E402
from pyrtmp.messages import Chunk  # noqa: E402
from pyrtmp.messages.audio import AudioMessage  # noqa: E402
from pyrtmp.messages.command import (  # noqa: E402
    NCConnect,
    NCCreateStream,
    NSCloseStream,
    NSDeleteStream,
    NSPublish,
)
from pyrtmp.messages.factory import MessageFactory  # noqa: E402
from pyrtmp.messages.protocol_control import SetChunkSize  # noqa: E402
from pyrtmp.messages.user_control import StreamBegin  # noqa: E402
from pyrtmp.messages.video import VideoMessage  # noqa: E402
from pyrtmp.rtmp import SimpleRTMPController  # noqa: E402

from mediamtx.sandbox.chunks import Session  # noqa: E402

# Importing it sets the root logger to DEBUG and gives it a handler.
logging.getLogger().setLevel(_level)
logging.getLogger().handlers[:] = _handlers
logging.getLogger("pyrtmp").propagate = False
logging.getLogger("pyrtmp").addHandler(logging.NullHandler())

VIDEO, AUDIO = 9, 8
TRACKS_WAIT = 2.0  # seconds for a second track, as MediaMTX analyses
HANDSHAKE = 10.0  # seconds
CONNECT = b"\x02\x00\x07connect"
COMMAND, METADATA = 0x14, 0x12
#: Also an unknown key or place, what is not implemented, and too deep a nesting.
NOT_UNDERSTOOD = (AssertionError, LookupError, ValueError, RuntimeError)


class Ended(Exception):
    """The connection is over, for a reason that is no fault of ours."""


class Connection:
    def __init__(
        self, node: Node, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        host, port = writer.get_extra_info("peername")[:2]
        self._node = node
        self._writer = writer
        self._session: Any = Session(reader=reader, writer=writer)
        self._app = ""
        self._flv: Any = FLVWriter()
        self._muxer: Muxer | None = None
        self._tracks: dict[int, float] = {}
        self.publisher = Publisher(str(uuid.uuid4()), f"{host}:{port}")

    async def run(self) -> None:
        """Until the encoder leaves, is kicked, is replaced or freezes."""
        node, publisher = self._node, self.publisher
        node.connections[publisher.id] = publisher
        reading = asyncio.create_task(self._read())
        closing = asyncio.create_task(publisher.close.wait())
        try:
            await asyncio.wait({reading, closing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (reading, closing):
                task.cancel()
            await asyncio.gather(reading, closing, return_exceptions=True)
            self._writer.transport.abort()
            try:
                await node.publisher_left(publisher)
            finally:
                if self._muxer is not None:
                    await self._muxer.close()

    async def _read(self) -> None:
        with contextlib.suppress(
            Ended, StreamClosedException, TimeoutError, ConnectionError, TooSlow
        ):
            try:
                await self._messages()
            except NOT_UNDERSTOOD as error:
                # Its text may hold a stream key.
                what = type(error).__name__
                print(f"INF [RTMP] {self.publisher.remote}: {what}", flush=True)

    async def _messages(self) -> None:
        async with asyncio.timeout(HANDSHAKE):
            await self._session.handshake()
        chunks = self._session.read_chunks_from_stream()
        while True:
            async with asyncio.timeout(self._node.config.read_timeout):
                chunk = await anext(chunks)
            self.publisher.inbound = self._session.total_read_bytes // 8
            if chunk.msg_type_id != METADATA:
                await self._message(_parsed(chunk))

    async def _message(self, message: Any) -> None:
        match message:
            case VideoMessage():
                await self._media(VIDEO, message)
            case AudioMessage():
                await self._media(AUDIO, message)
            case SetChunkSize():
                self._session.reader_chunk_size = message.chunk_size
            case NCConnect():
                await self._connect(message)
            case NCCreateStream():
                self._session.write_chunk_to_stream(message.create_response())
                await self._session.drain()
            case NSPublish():
                await self._publish(message)
            case NSCloseStream() | NSDeleteStream():
                raise Ended

    async def _connect(self, message: Any) -> None:
        options = message.command_object or {}
        self._app = str(options.get("app", ""))
        self.publisher.agent = str(options.get("flashVer", ""))
        await SimpleRTMPController().on_nc_connect(self._session, message)

    async def _publish(self, message: Any) -> None:
        """MediaMTX joins the app and the name; the query may stand behind either."""
        if self.publisher.path:
            raise Ended
        app, _, app_query = self._app.partition("?")
        name, _, query = str(message.publishing_name).partition("?")
        path, query = f"{app}/{name}".strip("/"), query or app_query
        if not self._node.config.path.search(path):
            raise Ended
        self.publisher.path, self.publisher.query = path, query
        if self._node.version.auth_before_media and not await self._allowed():
            await self._unauthorized(message.msg_stream_id)
            raise Ended
        self._muxer = Muxer(self._node.folder, self._node.config.segment)
        await self._muxer.start()
        await self._muxer.write(self._flv.write_header())
        self._session.write_chunk_to_stream(StreamBegin(stream_id=1))
        self._session.write_chunk_to_stream(message.create_response())
        await self._session.drain()

    async def _allowed(self) -> bool:
        """A refusal comes after a pause."""
        publisher = self.publisher
        allowed = await self._node.auth.allows(
            "publish",
            publisher.path,
            "rtmp",
            ip=publisher.remote.rpartition(":")[0],
            query=publisher.query,
            id_=publisher.id,
            credentials=self._node.auth.rtmp_credentials(publisher.query),
            agent=publisher.agent,
        )
        if not allowed:
            await asyncio.sleep(self._node.pause)
        return allowed

    async def _unauthorized(self, stream_id: int) -> None:
        data = BitStream()
        status = {
            "level": "error",
            "code": "NetStream.Publish.Unauthorized",
            "description": "authentication failed",
        }
        for value in ("onStatus", 0, None, status):
            AMF0Serializer.create_object(data, value)
        self._session.write_chunk_to_stream(
            Chunk(
                chunk_type=0,
                chunk_id=3,
                timestamp=0,
                msg_length=len(data.bytes),
                msg_type_id=0x14,
                msg_stream_id=stream_id,
                payload=data.bytes,
            )
        )
        await self._session.drain()

    async def _media(self, track: int, message: Any) -> None:
        if self._muxer is None:
            raise Ended
        kind = FLVMediaType.VIDEO if track == VIDEO else FLVMediaType.AUDIO
        timestamp = int(message.timestamp)
        tag = self._flv.write(timestamp, message.payload, kind)
        await self._muxer.write(tag)
        if not self.publisher.ready:
            self._learn_codec(track, message.payload)
            await self._analyse(track)

    def _learn_codec(self, track: int, payload: bytes) -> None:
        """From the sequence headers: AVC's profile, constraints and level."""
        if self._muxer is None or track in self._tracks:
            return
        is_avc_header = len(payload) > 8 and payload[1] == 0
        avc = f"avc1.{payload[6:9].hex()}" if is_avc_header else "avc1.42e01e"
        self._muxer.codecs.append(avc if track == VIDEO else "mp4a.40.2")

    async def _analyse(self, track: int) -> None:
        """Ready once both tracks are there, or one of them alone for a while."""
        now = asyncio.get_running_loop().time()
        self._tracks.setdefault(track, now)
        alone = now - min(self._tracks.values()) >= TRACKS_WAIT
        if self._muxer is None or not (len(self._tracks) == 2 or alone):
            return
        if not self._node.version.auth_before_media and not await self._allowed():
            raise Ended
        await self._node.make_ready(self.publisher, self._muxer)


def _parsed(chunk: Any) -> Any:
    """What encoders say of themselves has types that pyrtmp does not know."""
    if chunk.msg_type_id != COMMAND or not chunk.payload.startswith(CONNECT):
        return MessageFactory.from_chunk(chunk)
    _, number, options = itertools.islice(amf.Reader(chunk.payload), 3)
    return NCConnect(
        command_name="connect",
        transaction_id=number,
        command_object=options if isinstance(options, dict) else {},
        optional_user_arguments=None,
        **vars(chunk),
    )


async def listen(node: Node) -> asyncio.Server:
    async def accept(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.create_task(Connection(node, reader, writer).run())
        node.serving.add(task)
        task.add_done_callback(node.serving.discard)
        await task

    host, port = node.config.rtmp
    return await asyncio.start_server(accept, host or None, port)
