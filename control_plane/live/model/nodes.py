"""What we need from a media node, and what we remember of one."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

#: ``answered``: every list came. ``refused``: nobody listens there, so the node
#: is gone. ``silent``: a time-out, 401 or 5xx, which says nothing about the streams.
Answer = Literal["answered", "refused", "silent"]

#: ``missing``: the node answered that it has no such connection.
KickResult = Literal["kicked", "missing", "unknown"]

#: Encoders publish to an ``origin``. An ``edge`` is a MediaMTX that pulls from one when
#: somebody watches there, a ``cache`` an HTTP cache in front of one.
Role = Literal["origin", "edge", "cache"]


class Intake(Protocol):
    """What a node has got from an encoder so far."""

    @property
    def received(self) -> int | None:
        """Bytes; None where the node does not tell."""
        ...

    @property
    def frames_in_error(self) -> int | None:
        """None: the same."""
        ...

    @property
    def codec(self) -> str:
        """Of the picture; empty where there is none that the node knows."""
        ...

    @property
    def profile(self) -> str: ...
    @property
    def width(self) -> int:
        """0 where the node does not tell, as the height."""
        ...

    @property
    def height(self) -> int: ...


class Publisher(Protocol):
    """One encoder's connection on a node."""

    @property
    def path(self) -> str: ...
    @property
    def source_type(self) -> str: ...
    @property
    def source_id(self) -> str: ...
    @property
    def address(self) -> str:
        """As a reader's."""
        ...

    @property
    def ready(self) -> bool:
        """True once the node lists it as the source of its path."""
        ...

    @property
    def query(self) -> str:
        """As the encoder sent it, still percent-encoded. It may hold a key."""
        ...

    @property
    def intake(self) -> Intake | None:
        """None until it is ready."""
        ...


class Reader(Protocol):
    """One viewer's connection or HLS session on a node."""

    @property
    def path(self) -> str: ...
    @property
    def reader_id(self) -> str: ...
    @property
    def address(self) -> str:
        """Without its port; empty where the node does not tell."""
        ...

    @property
    def query(self) -> str: ...
    @property
    def outbound_bytes(self) -> int: ...


class View(Protocol):
    """What one look at a node's lists gave."""

    @property
    def answer(self) -> Answer: ...
    @property
    def reason(self) -> str:
        """Why it did not answer; empty when it did."""
        ...

    @property
    def started(self) -> str:
        """When the server started, as it says it; empty before v1.15.2."""
        ...

    @property
    def publishers(self) -> Sequence[Publisher]: ...
    @property
    def lists_hls(self) -> bool:
        """False before v1.18.0, where HLS viewers are in no list, and where nobody
        asked for readers."""
        ...


class About(Protocol):
    """What a node says about itself."""

    @property
    def answer(self) -> Answer: ...
    @property
    def reason(self) -> str:
        """As a view's."""
        ...

    @property
    def version(self) -> str:
        """Empty before v1.15.2."""
        ...

    @property
    def started(self) -> str: ...


#: Gets a node's readers, some at a time.
Take = Callable[[Sequence[Reader]], Awaitable[None]]


class NodeApi(Protocol):
    """A node's control API."""

    async def look(self, take: Take | None = None, *, quiet: bool = False) -> View: ...
    async def info(self) -> About: ...
    async def kick(self, source_type: str, source_id: str) -> KickResult: ...
    async def kick_readers(self, chosen: Callable[[Reader], bool]) -> Answer:
        """``answered`` when it listed them all."""
        ...


@dataclass(frozen=True, slots=True)
class Heard:
    """What was known of a node before it answered."""

    id: int
    started: str
    lost: bool


@dataclass(frozen=True, slots=True)
class Node:
    """A media node as the table ``nodes`` keeps it.

    The public URLs may hold ``{host}``, which stands for the host that the
    request came to: in development a phone gets an address it can use.

    ``weight``: its share of the load beside others'. ``most_…``: its capacity; None: no
    bound. ``most_bits``: a second, to readers; ``bits``: of these, as
    counted last, of a cache nobody knows. ``closed``: it drains, and encoders are
    sent away: their broadcasts go on at other nodes. ``let_go``: of an edge that
    drains, the share of its viewers that goes elsewhere.
    """

    name: str
    api_url: str
    rtmp_url: str
    hls_url: str
    webrtc_url: str
    srt_url: str
    rtsp_url: str
    role: Role = "origin"
    region: str = ""
    weight: int = 1
    most_publishers: int | None = None
    most_readers: int | None = None
    most_bits: int | None = None
    sandbox: bool = False
    draining: bool = False
    closed: bool = False
    silent_since: datetime | None = None
    silent_because: str = ""
    lost: bool = False
    let_go: float = 0.0
    # Another each second: no reason to tell pages of it.
    bits: int = field(default=0, compare=False)

    @property
    def state(self) -> Literal["active", "draining", "lost"]:
        if self.lost:
            return "lost"
        return "draining" if self.draining else "active"

    @property
    def has_bits(self) -> bool:
        return self.most_bits is None or self.bits < self.most_bits

    @property
    def is_well(self) -> bool:
        """It takes broadcasts, and answered when it was asked last."""
        return self.state == "active" and self.silent_since is None
