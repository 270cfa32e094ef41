"""``/v1/now``: what is live, and what needs somebody first: one look for all."""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal

import msgspec
from aiohttp import web
from msgspec import Struct

from control_plane.base.batches import Shared
from control_plane.live.service.ingest_health import IngestHealth
from control_plane.live.service.overview import Overview
from control_plane.live.service.previews import Previews
from control_plane.ops.routes import Call, Nothing, One, Route
from control_plane.ops.rows import Session, session_row
from control_plane.web import files
from control_plane.web.files import File

FRESH_FOR = 1.5  # seconds
JPEG = "image/jpeg"
JSON = "application/json"


class Picture(One):
    """``at``: whatever the reader likes, so that its cache asks again."""

    at: int = 0


class Concern(Struct, frozen=True):
    """``about``: whose page tells more; ``id``: that session's or that node's name."""

    about: Literal["session", "node"]
    id: int | str
    words: str


class Totals(Struct, frozen=True):
    """``bitrate``: of all that is measured, in bits a second."""

    sessions: int
    live: int
    reconnecting: int
    viewers: int
    bitrate: int
    nodes: int


class Now(Struct, frozen=True):
    """``attention``: the gravest first. ``sessions``: all that are open."""

    totals: Totals
    attention: list[Concern]
    sessions: list[Session]


class NowApi:
    def __init__(
        self, overview: Overview, ingest: IngestHealth, previews: Previews
    ) -> None:
        self._overview = overview
        self._ingest = ingest
        self._previews = previews
        self._last: File | None = None
        self._made_at = float("-inf")
        self._looks = Shared(self._look)

    def routes(self) -> list[Route]:
        picture = "/v1/sessions/{id}/preview.jpg"
        return [
            Route("GET", "/v1/now", "read", self.now, streams=JSON, holds=Now),
            Route("GET", picture, "read", self.preview, streams=JPEG),
        ]

    async def now(self, call: Call[Nothing, Nothing]) -> web.StreamResponse:
        """All that is open, how it comes in, and what needs attention."""
        return files.respond(call.request, await self._looks.get("now"))

    async def preview(self, call: Call[Picture, Nothing]) -> web.StreamResponse:
        """The newest picture of a session, whoever may watch it."""
        jpeg = await self._previews.newest(call.params.id)
        headers = {"Cache-Control": "private, max-age=5"}
        return web.Response(body=jpeg, content_type=JPEG, headers=headers)

    async def _look(self, _: str) -> File:
        began = time.monotonic()
        if self._last is None or began - self._made_at >= FRESH_FOR:
            plain = msgspec.json.encode(await self._now())
            self._last, self._made_at = files.made(plain, JSON), began
        return self._last

    async def _now(self) -> Now:
        seen = await self._overview.open()
        healths = await self._ingest.of_all(one.session for one in seen)
        rows = [session_row(one, healths.get(one.session.id)) for one in seen]
        nodes = [node for node, _ in await self._overview.nodes()]
        concerns = [
            Concern("node", node.name, _of_node(node.name, node.silent_since))
            for node in nodes
            if node.silent_since is not None
        ]
        concerns += _of_sessions(rows)
        return Now(_totals(rows, len(nodes)), concerns, rows)


def _totals(rows: Sequence[Session], nodes: int) -> Totals:
    return Totals(
        sessions=len(rows),
        live=sum(one.status == "live" for one in rows),
        reconnecting=sum(one.status == "reconnecting" for one in rows),
        viewers=sum(one.viewers for one in rows),
        bitrate=sum(one.ingest.bitrate or 0 for one in rows if one.ingest),
        nodes=nodes,
    )


def _of_node(name: str, since: datetime) -> str:
    return f"{name}: does not answer since {since:%H:%M:%S} UTC. Is it running?"


def _of_sessions(rows: Sequence[Session]) -> Iterator[Concern]:
    """What most people see is first."""
    for one in sorted(rows, key=lambda row: -row.viewers):
        if one.reconnecting_until:
            until = f"{one.reconnecting_until:%H:%M:%S} UTC"
            words = f"{one.username}: encoder away; ends at {until} unless it is back."
            yield Concern("session", one.id, words)
        for words in one.ingest.advice if one.ingest else ():
            yield Concern("session", one.id, f"{one.username}: {words}")
