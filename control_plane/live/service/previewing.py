"""Takes a new picture of each live session again and again, from its node's HLS."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Protocol
from urllib.parse import urlsplit

import structlog
from prometheus_client import Counter, Gauge

from control_plane.base.faults import Away
from control_plane.base.secrets import Derived
from control_plane.base.tasks import Loop
from control_plane.base.tokens import ViewerToken, sign_viewer
from control_plane.live.model.ingest import Segment
from control_plane.live.model.nodes import Node
from control_plane.live.model.sessions import LiveSession
from control_plane.live.model.viewers import PREVIEWER
from control_plane.live.service.measuring import Measuring
from control_plane.live.service.stills import Stills
from control_plane.live.store.previews import PreviewStore

log = structlog.get_logger(__name__)

FETCHED_AT_ONCE = 4
TOKEN_SECONDS = 60
#: At the shortest, between two looks at what is due.
PAUSE = 1.0  # seconds

ENABLED = Gauge("control_plane_previews_enabled", "1 where pictures are made, else 0.")
PICTURES = Counter(
    "control_plane_previews_total", "Tries to take a session's picture.", ["result"]
)


class Newest(Protocol):
    """A stream's newest segment. ``data`` begins with its header and a key frame; it
    and ``name`` are empty where there is none yet."""

    @property
    def data(self) -> bytes: ...
    @property
    def name(self) -> str: ...
    @property
    def durations(self) -> Sequence[float]: ...
    @property
    def fps(self) -> float: ...
    @property
    def codecs(self) -> str: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...


#: By the address of a master playlist and a viewer's token; None: nobody knows.
Fetch = Callable[[str, str], Awaitable[Newest | None]]


class Previewing:
    def __init__(
        self,
        measuring: Measuring,
        fetch: Fetch,
        stills: Stills,
        store: PreviewStore,
        *,
        viewer_key: Derived,
        every: float,
    ) -> None:
        """``every``: seconds between two pictures of a session, if that can be done; 0:
        never."""
        self._measuring = measuring
        self._fetch = fetch
        self._stills = stills
        self._store = store
        self._viewer_key = viewer_key
        self._every = every
        self._tried: dict[int, float] = {}
        self._newest: dict[int, tuple[str, float]] = {}
        self._loop = Loop("previews", self.turn, PAUSE)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Where it cannot be done, or is not wanted, nothing runs."""
        on = self._every > 0 and self._stills.possible
        ENABLED.set(on)
        if not on:
            why = "ffmpeg was not found" if self._every > 0 else "they are turned off"
            log.warning("no previews are made", reason=why)
            yield
            return
        async with self._loop.running():
            yield

    async def turn(self) -> None:
        """Whoever has waited longest comes first."""
        now, live = time.monotonic(), self._measuring.live()
        tried = {s.id: self._tried.get(s.id, float("-inf")) for _, s in live}
        due = [one for one in live if tried[one[1].id] + self._every <= now]
        due.sort(key=lambda one: tried[one[1].id])
        self._tried = tried
        self._newest = {i: one for i, one in self._newest.items() if i in tried}
        waiting = iter(due)
        async with asyncio.TaskGroup() as group:
            for _ in range(FETCHED_AT_ONCE):
                group.create_task(self._work(waiting))

    async def _work(self, waiting: Iterator[tuple[Node, LiveSession]]) -> None:
        for node, session in waiting:
            self._tried[session.id] = now = time.monotonic()
            self._newest.setdefault(session.id, ("", now))
            taken = await self._take(node, session)
            PICTURES.labels("taken" if taken else "none").inc()
            self._loop.goes_well()

    async def _take(self, node: Node, session: LiveSession) -> bool:
        url = f"{_hls(node)}/{session.path}/index.m3u8"
        found = await self._fetch(url, self._token(session))
        if found is None:
            return False
        waited = self._waited(session.id, found.name)
        self._measuring.shown(node.name, session.id, _segment(found, waited))
        picture = await self._stills.of(found.data) if found.data else None
        if picture is None:
            return False
        try:
            await self._store.put(session.id, picture)
        except Away as error:
            log.warning("a picture was not kept", error=repr(error))
            return False
        return True

    def _waited(self, session_id: int, name: str) -> float:
        """Seconds without a key frame, at least. The first playlist has two segments
        or more, so that time without one is that of two."""
        now = time.monotonic()
        before, since = self._newest.get(session_id, ("", now))
        if name != before:
            self._newest[session_id] = name, now
            return 0.0
        return now - since if name else (now - since) / 2

    def _token(self, session: LiveSession) -> str:
        until = int(time.time()) + TOKEN_SECONDS
        token = ViewerToken(PREVIEWER, session.path, 0, until, session.token_epoch)
        return sign_viewer(self._viewer_key, token)


def _hls(node: Node) -> str:
    """As we reach it: where each viewer is given the host that he came to, we take
    that of the node's API."""
    host = urlsplit(node.api_url).hostname or ""
    return node.hls_url.replace("{host}", f"[{host}]" if ":" in host else host)


def _segment(found: Newest, waited: float) -> Segment:
    return Segment(
        time.time(),
        waited,
        tuple(found.durations),
        found.fps,
        found.codecs,
        found.width,
        found.height,
    )
