"""What the lists of the control API hold, from v1.3.0 on, and what we take."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, NamedTuple, TypeVar

from msgspec import UNSET, Struct, UnsetType

Answer = Literal["answered", "refused", "silent"]

#: Where the connections of each source type are listed and kicked.
LIST_OF_TYPE = {
    "rtmpConn": "rtmpconns",
    "rtmpsConn": "rtmpsconns",
    "rtspSession": "rtspsessions",
    "rtspsSession": "rtspssessions",
    "srtConn": "srtconns",
    "webRTCSession": "webrtcsessions",
    "moqSession": "moqsessions",
    "hlsSession": "hlssessions",
}
HLS = "hlsSession"
PUBLISHER_TYPES = tuple(name for name in LIST_OF_TYPE if name != HLS)

#: Codecs of pictures, as MediaMTX names them.
PICTURES = frozenset(
    {"H264", "H265", "AV1", "VP9", "VP8", "MPEG-4 Video", "MPEG-1/2 Video", "M-JPEG"}
)

T = TypeVar("T")


# Without garbage collection: 100,000 of them would be looked through again and again,
# and they refer to nothing that could refer back.
class Listed(
    Struct, gc=False, kw_only=True, rename={"reader_id": "id", "remote": "remoteAddr"}
):
    """One connection or session. Decoded as it is; what only a new one is asked for
    is worked out then."""

    reader_id: str
    path: str
    query: str = ""
    remote: str = ""

    @property
    def address(self) -> str:
        """Of ``host:port`` or ``[host]:port``."""
        return self.remote.rpartition(":")[0].strip("[]")


class Connection(
    Listed,
    gc=False,
    kw_only=True,
    rename={"outbound": "outboundBytes", "sent": "bytesSent"},
):
    state: str
    outbound: int | None = None
    sent: int = 0  # its name before v1.17.0

    @property
    def outbound_bytes(self) -> int:
        return self.sent if self.outbound is None else self.outbound


class HlsSession(
    Listed,
    gc=False,
    kw_only=True,
    rename={"outbound_bytes": "outboundBytes", "is_cdn": "isCDN"},
):
    outbound_bytes: int
    #: A CDN's one session stands for no viewer.
    is_cdn: bool = False


class PathSource(Struct, gc=False):
    type: str
    id: str


class Properties(Struct, gc=False):
    """Of a track; a sound has none of these."""

    width: int = 0
    height: int = 0
    profile: str | int = ""


class Track(Struct, gc=False, rename={"properties": "codecProps"}):
    codec: str = ""
    properties: Properties | None = None


class Path(
    Struct,
    gc=False,
    rename={
        "received": "bytesReceived",
        "inbound": "inboundBytes",
        "frames_in_error": "inboundFramesInError",
    },
):
    name: str
    ready: bool
    source: PathSource | None
    online: bool | UnsetType = UNSET
    received: int | None = None  # its name before v1.17.0, still there in v1.20.1
    inbound: int | None = None
    frames_in_error: int | None = None
    tracks: list[str] | None = None
    tracks2: list[Track] | None = None

    @property
    def intake(self) -> "Intake":
        received = self.received if self.inbound is None else self.inbound
        return Intake(received, self.frames_in_error, *self._picture())

    def _picture(self) -> tuple[str, str, int, int]:
        for track in self.tracks2 or ():
            found = track.properties
            if found is not None and found.width:
                return track.codec, str(found.profile), found.width, found.height
        named = (name for name in self.tracks or () if name in PICTURES)
        return next(named, ""), "", 0, 0

    @property
    def publisher(self) -> PathSource | None:
        """Its encoder's connection, once it has a picture."""
        # Before v1.16.0 there is no `online`; since then `ready` may mean a path that
        # plays a stand-in without any publisher.
        live = self.ready if self.online is UNSET else self.online
        source = self.source
        if live and source is not None and source.type in PUBLISHER_TYPES:
            return source
        return None


class Page(Struct, Generic[T], rename="camel"):
    items: list[T] = []
    page_count: int = 1


class Server(Struct):
    version: str = ""
    started: str = ""


class Intake(NamedTuple):
    """What a path has got so far. Before v1.17.0 ``frames_in_error`` is None, the
    profile empty and the size 0."""

    received: int | None  # bytes
    frames_in_error: int | None
    codec: str
    profile: str
    width: int
    height: int


class Publisher(NamedTuple):
    """One encoder's connection. ``query`` is as it sent it and may hold a key.
    ``intake``: once it is ready."""

    path: str
    source_type: str
    source_id: str
    ready: bool
    query: str
    address: str
    intake: Intake | None = None


@dataclass(frozen=True, slots=True)
class Info:
    """``version`` and ``started`` are empty before v1.15.2."""

    answer: Answer
    reason: str = ""
    version: str = ""
    started: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """What one look at a node's lists gave; ``reason`` is set unless it answered."""

    answer: Answer
    reason: str = ""
    started: str = ""
    publishers: Sequence[Publisher] = ()
    lists_hls: bool = False


#: By their ids, with their source types.
Publishing = Mapping[str, tuple[str, Connection]]


def publishers(paths: Iterable[Path], publishing: Publishing) -> Iterator[Publisher]:
    """The live source of each path, then who publishes and is no such source yet."""
    live: set[str] = set()
    for path in paths:
        source = path.publisher
        if source is not None:
            live.add(source.id)
            known = publishing.get(source.id)
            query, address = ("", "") if known is None else _came(known[1])
            yield Publisher(
                path.name, source.type, source.id, True, query, address, path.intake
            )
    for source_id, (source_type, one) in publishing.items():
        if source_id not in live:
            yield Publisher(one.path, source_type, source_id, False, *_came(one))


def _came(one: Connection) -> tuple[str, str]:
    return one.query, one.address
