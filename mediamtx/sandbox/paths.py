"""Paths, their publishers and their HLS sessions: what the node knows."""

import asyncio
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote_plus

from mediamtx.sandbox.auth import Auth
from mediamtx.sandbox.commands import Commands
from mediamtx.sandbox.config import Config
from mediamtx.sandbox.muxer import Muxer
from mediamtx.sandbox.version import Version


def now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


@dataclass(eq=False)
class Publisher:
    """One RTMP connection; ``close`` makes it end."""

    id: str
    remote: str
    close: asyncio.Event = field(default_factory=asyncio.Event)
    created: str = field(default_factory=now)
    path: str = ""
    query: str = ""
    agent: str = ""
    ready: bool = False
    inbound: int = 0


@dataclass(eq=False)
class HlsSession:
    path: str
    query: str
    remote: str
    agent: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    #: What viewers hold; not the id that auth and the API use.
    secret: str = field(default_factory=lambda: str(uuid.uuid4()))
    created: str = field(default_factory=now)
    asked_at: float = field(default_factory=time.monotonic)
    outbound: int = 0

    @property
    def ip(self) -> str:
        return self.remote.rpartition(":")[0]


@dataclass(eq=False)
class Stream:
    """A path that is ready."""

    publisher: Publisher
    muxer: Muxer
    variables: Mapping[str, str]
    starting: list["asyncio.Task[None]"]
    since: str = field(default_factory=now)
    outbound: int = 0


class Node:
    def __init__(
        self,
        config: Config,
        version: Version,
        folder: Path,
        pause: float = 0.5,
        idle: float = 30.0,
    ) -> None:
        """``folder``: for segments. ``pause``: seconds before a refusal is answered.
        ``idle``: seconds after which an HLS session without a request is over."""
        self.config = config
        self.version = version
        self.folder = folder
        self.pause = pause
        self.idle = idle
        self.started = now()
        self.auth = Auth(config.auth_url, config.read_timeout, version)
        self.commands = Commands()
        self.serving: set[asyncio.Task[None]] = set()
        self.connections: dict[str, Publisher] = {}
        self.streams: dict[str, Stream] = {}
        self.sessions: dict[str, HlsSession] = {}  # by secret
        self.cached: dict[str, float] = {}  # when caches last asked, by path

    async def make_ready(self, publisher: Publisher, muxer: Muxer) -> None:
        """The last publisher wins. One that was told to go may have said more before
        it heard of it."""
        async with self.auth.lock:
            if not publisher.close.is_set():
                self._make_ready(publisher, muxer)

    def _make_ready(self, publisher: Publisher, muxer: Muxer) -> None:
        before = self.streams.get(publisher.path)
        if before is not None:
            before.publisher.close.set()
            self._gone(before)
        variables = self._variables(publisher)
        starting = [
            self.commands.start(command, variables)
            for command in self.config.ready_commands
        ]
        publisher.ready = True
        stream = Stream(publisher, muxer, variables, starting)
        self.streams[publisher.path] = stream
        print(f"INF [path {publisher.path}] stream is online", flush=True)

    async def publisher_left(self, publisher: Publisher) -> None:
        self.connections.pop(publisher.id, None)
        async with self.auth.lock:  # a pending question delays the news
            stream = self.streams.get(publisher.path)
            if stream is not None and stream.publisher is publisher:
                self._gone(stream)

    def _gone(self, stream: Stream) -> None:
        path = stream.publisher.path
        del self.streams[path]
        stream.publisher.ready = False
        for task in stream.starting:
            task.cancel()
        for command in self.config.not_ready_commands:
            self.commands.start(command, stream.variables)
        for session in [s for s in self.sessions.values() if s.path == path]:
            del self.sessions[session.secret]
        self.cached.pop(path, None)
        print(f"INF [path {path}] stream is offline", flush=True)

    def open_session(self, session: HlsSession) -> None:
        session.asked_at = time.monotonic()
        self.sessions[session.secret] = session

    def session(self, secret: str, path: str, ip: str) -> HlsSession | None:
        found = self.sessions.get(secret)
        if found is None or found.path != path or found.ip != ip:
            return None
        found.asked_at = time.monotonic()
        return found

    def end_idle_sessions(self) -> None:
        oldest = time.monotonic() - self.idle
        self.cached = {path: at for path, at in self.cached.items() if at >= oldest}
        for session in list(self.sessions.values()):
            if session.asked_at < oldest:
                del self.sessions[session.secret]

    def _variables(self, publisher: Publisher) -> dict[str, str]:
        query = publisher.query
        match = self.config.path.search(publisher.path)
        groups = match.groups() if match is not None else ()
        return {
            "MTX_PATH": publisher.path,
            "RTSP_PATH": publisher.path,
            "RTSP_PORT": str(self.config.rtsp_port),
            "MTX_QUERY": quote_plus(query) if self.version.escaped_query else query,
            "MTX_SOURCE_TYPE": "rtmpConn",
            "MTX_SOURCE_ID": publisher.id,
            **{f"G{n}": group or "" for n, group in enumerate(groups, 1)},
        }
