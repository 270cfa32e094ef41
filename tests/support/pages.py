"""The pages on a free port, with a updates that tests speak through."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

from control_plane.events.model import Event, Position
from control_plane.pages.feeds import Feeds, Missed
from control_plane.pages.routes import Pages
from control_plane.pages.seats import Seats
from control_plane.pages.updates import NoSuchStream, Snapshot
from control_plane.web import packages
from control_plane.web.address import Addresses
from control_plane.web.origin import Origins

_NOBODY = Addresses("")
_SEATS = Seats(_NOBODY, of_address=100, in_all=100)


def snapshot(**changed: object) -> dict[str, object]:
    """A live session in the pages' words."""
    return {
        "id": "12",
        "channel_name": "12",
        "path": "live/12",
        "user_id": 3,
        "username": "ann",
        "title": "Morning coffee",
        "cover": "",
        "thumbnail": "",
        "status": "live",
        "started_at": "2026-11-23 00:00:00",
        "viewers": 1,
        "peak_viewers": 1,
        "reconnecting_until": "",
        "ended_at": "",
        "end_reason": "",
        "node": "local",
        "sandbox": False,
    } | changed


def gift(seq: int, sender: str, count: int) -> Event:
    """To session 12."""
    data = {
        "id": seq,
        "gift_id": 1,
        "title": "Rose",
        "count": count,
        "coin": 10 * count,
        "sender_id": len(sender),
        "sender": sender,
        "receiver_id": 3,
        "video_id": 0,
        "image": "/assets/icon.svg",
    }
    at = datetime(2026, 11, 23, tzinfo=UTC)
    return Event(Position(0, 1, seq), "session", 12, seq, "gift.sent", 1, data, at)


class Updates:
    """Holds one state per name, and all who follow it hear of each change."""

    def __init__(self) -> None:
        self.states: dict[str, Snapshot | None] = {}
        self.sessions: Sequence[Snapshot] = []
        self.urls: Sequence[str] = []
        self.followed: list[str] = []
        self._closed = False
        self._changed = asyncio.Event()

    def put(self, name: str, state: Mapping[str, object] | None) -> None:
        self.states[name] = state
        self._wake()

    def put_list(self, sessions: Sequence[Snapshot]) -> None:
        self.sessions = sessions
        self._wake()

    def close(self) -> None:
        self._closed = True
        self._wake()

    def reopen(self) -> None:
        self._closed = False

    @contextlib.asynccontextmanager
    async def subscribe(
        self, name: str
    ) -> AsyncIterator[AsyncIterator[Snapshot | None]]:
        if name not in self.states:
            raise NoSuchStream(name)
        self.followed.append(name)
        try:
            yield self._states(name)
        finally:
            self.followed.remove(name)

    @contextlib.asynccontextmanager
    async def subscribe_list(self) -> AsyncIterator[AsyncIterator[Sequence[Snapshot]]]:
        self.followed.append("the list")
        try:
            yield self._lists()
        finally:
            self.followed.remove("the list")

    async def hls_urls(self, host: str) -> Iterable[str]:
        return [url.replace("{host}", host) for url in self.urls]

    async def _states(self, name: str) -> AsyncIterator[Snapshot | None]:
        while not self._closed:
            changed = self._changed
            yield self.states[name]
            await changed.wait()

    async def _lists(self) -> AsyncIterator[Sequence[Snapshot]]:
        while not self._closed:
            changed = self._changed
            yield self.sessions
            await changed.wait()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


@dataclass
class Site:
    """The pages, and the endpoint of the API that they call. ``asked`` is what it
    was asked; ``refusal`` what it says instead of letting in."""

    updates: Updates
    feeds: Feeds
    url: str = ""
    playback_url: str = ""
    sandbox: bool = False
    refusal: str = ""
    asked: list[Mapping[str, object]] = field(default_factory=list)

    async def watch(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append(body)
        if self.refusal:
            return web.json_response({"code": 201, "msg": self.refusal})
        token = body.get("token") or f"visitor-{len(self.asked)}"
        answer = {
            "token": token,
            "expires_at": 4_000_000_000,
            "playback_url": f"{self.playback_url}?token={token}",
            "source": "edge-1",
            "lot": 0.5,
            "sandbox": self.sandbox,
        }
        return web.json_response({"code": 200, "msg": {"Watch": answer}})


async def nothing_missed(_session_id: int, _seq: int) -> Sequence[Event]:
    return []


async def nothing_happened(_session_id: int) -> int:
    return 0


@contextlib.asynccontextmanager
async def pages(
    player: Path = packages.PLAYER,
    updates: Updates | None = None,
    missed: Missed = nothing_missed,
) -> AsyncIterator[Site]:
    updates = Updates() if updates is None else updates
    site = Site(updates, Feeds(missed, nothing_happened))
    app = web.Application()
    app.add_routes(
        Pages(updates, _SEATS, Origins(_NOBODY), site.feeds, player).routes()
    )
    app.router.add_post("/api/watch", site.watch)
    async with TestServer(app) as server:
        site.url = f"http://{server.host}:{server.port}"
        try:
            yield site
        finally:
            updates.close()
