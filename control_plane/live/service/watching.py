"""Watching: what is live, one broadcast's state as it changes, and viewer tokens."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog

from control_plane.base.database import Pool
from control_plane.base.faults import Away
from control_plane.base.refusals import Empty, Refusal
from control_plane.base.tokens import BadToken, ViewerToken, read_viewer, sign_viewer
from control_plane.live.model.nodes import Node
from control_plane.live.model.sessions import WATCHABLE, LiveSession
from control_plane.live.service.nodes import Nodes
from control_plane.live.service.viewers import Viewers
from control_plane.live.store import channels, sessions

log = structlog.get_logger(__name__)

REFRESH = 1.0  # seconds between two looks at a broadcast that somebody watches
LIST_SIZE = 100

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A session with its count, as viewers see it."""

    session: LiveSession
    viewers: int
    sandbox: bool = False


@dataclass(frozen=True, slots=True)
class Admission:
    broadcast: Broadcast
    node: Node
    token: str
    expires_at: int  # unix seconds


class Watching:
    def __init__(
        self,
        pool: Pool,
        nodes: Nodes,
        viewers: Viewers,
        *,
        viewer_key: bytes,
        token_seconds: int,
    ) -> None:
        self._pool = pool
        self._nodes = nodes
        self._viewers = viewers
        self._viewer_key = viewer_key
        self._token_seconds = token_seconds
        self._closing = asyncio.Event()

    async def admit(self, name: str, user_id: int, old_token: str) -> Admission:
        """A token to read this path. With the token of an earlier visit it is the
        same viewer again."""
        broadcast = await self.find(name)
        session = broadcast.session
        if not session.is_open:
            raise Refusal("This live stream has ended.")
        expires_at = int(time.time()) + self._token_seconds
        token = sign_viewer(
            self._viewer_key,
            ViewerToken(self._viewer(old_token), session.path, user_id, expires_at),
        )
        node = await self._nodes.get(session.node)
        return Admission(broadcast, node, token, expires_at)

    def _viewer(self, old_token: str) -> str:
        with contextlib.suppress(BadToken):
            return read_viewer(self._viewer_key, old_token).viewer
        return secrets.token_urlsafe(9)

    async def find(self, name: str) -> Broadcast:
        """By session id or channel name. Raises Empty when there is none."""
        session = await self._session(name)
        if session is None:
            raise Empty
        counts = await self._viewers.counts([session])
        node = await self._nodes.get(session.node)
        return Broadcast(session, counts.get(session.id, 0), node.sandbox)

    async def live(self, size: int, page: int) -> list[Broadcast]:
        found = await sessions.listing(self._pool, sorted(WATCHABLE), size, size * page)
        counts = await self._viewers.counts(found)
        return [Broadcast(session, counts.get(session.id, 0)) for session in found]

    async def exists(self, name: str) -> bool:
        """Also a channel that was never live: it may start any moment."""
        if await self._session(name) is not None:
            return True
        return await channels.at_path(self._pool, f"live/{name}") is not None

    def follow(self, name: str) -> AsyncGenerator[Broadcast | None]:
        """What ``find`` says, now and each time it changed; None while there is
        nothing. Ends when the service closes."""
        return self._changes(lambda: self._find_or_none(name))

    def follow_live(self) -> AsyncGenerator[list[Broadcast]]:
        return self._changes(self._most_watched)

    async def hls_urls(self, host: str) -> list[str]:
        """Where viewers who came to ``host`` fetch HLS: every node's address."""
        found = await self._nodes.listing()
        return [node.hls_url.replace("{host}", host) for node in found]

    def close(self) -> None:
        """Ends every ``follow``."""
        self._closing.set()

    async def _most_watched(self) -> list[Broadcast]:
        found = await self.live(LIST_SIZE, 0)
        return sorted(found, key=lambda one: one.viewers, reverse=True)

    async def _find_or_none(self, name: str) -> Broadcast | None:
        try:
            return await self.find(name)
        except Empty:
            return None

    async def _changes(self, look: Callable[[], Awaitable[T]]) -> AsyncGenerator[T]:
        last: object = _NOTHING
        while not self._closing.is_set():
            try:
                now = await look()
            except Away as error:
                log.warning("nothing to show for now", error=type(error).__name__)
            else:
                if now != last:
                    last = now
                    yield now
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), REFRESH)

    async def _session(self, name: str) -> LiveSession | None:
        if name.isascii() and name.isdigit():
            if len(name) > 10 or int(name) > 2_147_483_647:
                return None
            return await sessions.get(self._pool, int(name))
        return await sessions.newest_at_path(self._pool, f"live/{name}")


_NOTHING = object()
