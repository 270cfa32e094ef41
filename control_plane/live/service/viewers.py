"""Viewer counts: distinct viewers whose bytes moved within the last 10 seconds.

The truth is the nodes' lists of readers with their byte counters. An allowed read is
a hint that counts for as long and no longer, until a list confirms it.
"""

import base64
import contextlib
import hashlib
import time
from collections.abc import AsyncIterator, Iterable

import structlog

from control_plane.base.faults import Away
from control_plane.base.redis import Redis
from control_plane.base.tasks import Loop
from control_plane.base.tokens import BadToken, read_viewer
from control_plane.live.model.credentials import from_query
from control_plane.live.model.nodes import Reader, View
from control_plane.live.model.sessions import LiveSession
from control_plane.live.store import viewers as store

log = structlog.get_logger(__name__)

WINDOW = 10.0  # seconds
FLUSH_EVERY = 0.5  # seconds
MOST_HINTS = 200_000


def _short(text: str) -> str:
    """12 characters: what Redis keeps of a viewer."""
    return base64.b64encode(
        hashlib.blake2b(text.encode(), digest_size=9).digest()
    ).decode()


def viewer_of_reader(reader_id: str) -> str:
    return _short(reader_id)


def viewer_of_address(ip: object, query: object) -> str:
    return _short(f"{ip}\n{query}")


class Viewers:
    """``hint`` never waits; everything else may talk to Redis."""

    def __init__(self, redis: Redis, viewer_key: bytes) -> None:
        self._redis = redis
        self._viewer_key = viewer_key
        self._hints: dict[tuple[int, str], dict[str, float]] = {}
        self._hinted = 0
        self._progress: dict[str, dict[str, _Progress]] = {}
        self._last_counts: dict[int, tuple[float, int]] = {}

    def hint(self, session_id: int, node: str, viewer: str) -> None:
        if self._hinted >= MOST_HINTS:
            return
        seen = self._hints.setdefault((session_id, node), {})
        seen[viewer] = time.time()
        self._hinted += 1

    async def observe(
        self, node: str, view: View, open_sessions: Iterable[LiveSession]
    ) -> None:
        """Take in one look at a node's lists. Sessions that are not live or
        reconnecting have no viewers."""
        sessions = {s.path: s.id for s in open_sessions if s.is_watchable}
        now = time.time()
        before = self._progress.get(node)
        after: dict[str, _Progress] = {}
        seen: dict[int, dict[str, float]] = {}
        for reader in view.readers:
            progress = self._advance(before, reader, now)
            after[reader.reader_id] = progress
            session_id = sessions.get(reader.path)
            if session_id is not None and progress.moved_at > now - WINDOW:
                moved = seen.setdefault(session_id, {})
                moved[progress.viewer] = max(
                    moved.get(progress.viewer, 0.0), progress.moved_at
                )
        self._progress[node] = after
        for session_id, moved in seen.items():
            await store.saw(self._redis, session_id, node, moved)
        for session_id in sessions.values():
            await store.forget_older(self._redis, session_id, node, now - WINDOW)

    async def counts(self, sessions: Iterable[LiveSession]) -> dict[int, int]:
        """Zero unless live or reconnecting. While Redis is away the last known
        counts stand for as long as a viewer would, then zero."""
        asked = [session for session in sessions if session.is_watchable]
        now = time.time()
        try:
            found = await store.count(
                self._redis, [(s.id, s.node) for s in asked], now - WINDOW
            )
        except Away as error:
            log.warning("viewer counts are away", error=type(error).__name__)
            return {s.id: self._last_known(s.id, now) for s in asked}
        counts = dict(zip((s.id for s in asked), found, strict=True))
        if len(self._last_counts) > MOST_HINTS:
            self._last_counts.clear()
        self._last_counts.update({i: (now, n) for i, n in counts.items()})
        return counts

    def _last_known(self, session_id: int, now: float) -> int:
        at, count = self._last_counts.get(session_id, (0.0, 0))
        return count if now - at < WINDOW else 0

    async def clear(self, session: LiveSession) -> None:
        self._hints.pop((session.id, session.node), None)
        try:
            await store.clear(self._redis, session.id, session.node)
        except Away:
            log.warning("viewers not cleared: Redis is away", session=session.id)

    def drop_node(self, node: str) -> None:
        self._progress.pop(node, None)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with Loop("viewers", self._flush, FLUSH_EVERY).running():
            yield

    async def _flush(self) -> None:
        """While Redis is away hints are lost."""
        hints, self._hints, self._hinted = self._hints, {}, 0
        for (session_id, node), seen in hints.items():
            await store.saw(self._redis, session_id, node, seen)

    def _advance(
        self, before: "dict[str, _Progress] | None", reader: Reader, now: float
    ) -> "_Progress":
        """The first look after taking a node over tells nothing about movement:
        until the next one, what stands in Redis counts."""
        known = None if before is None else before.get(reader.reader_id)
        if known is None:
            moved = before is not None and reader.outbound_bytes > 0
            return _Progress(
                reader.outbound_bytes, now if moved else 0.0, self._who(reader)
            )
        if reader.outbound_bytes != known.bytes:
            known.bytes = reader.outbound_bytes
            known.moved_at = now
        return known

    def _who(self, reader: Reader) -> str:
        for text in from_query(reader.query):
            with contextlib.suppress(BadToken):
                return read_viewer(self._viewer_key, text).viewer
        return viewer_of_reader(reader.reader_id)


class _Progress:
    """How far one reader had come, and when that last changed."""

    __slots__ = ("bytes", "moved_at", "viewer")

    def __init__(self, sent: int, moved_at: float, viewer: str) -> None:
        self.bytes = sent
        self.moved_at = moved_at
        self.viewer = viewer
