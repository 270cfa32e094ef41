"""``/v1/now``: what is live, and what needs somebody first: one look for all."""

from collections.abc import Sequence

import msgspec
from aiohttp import web
from msgspec import Struct

from control_plane.base.batches import Recent
from control_plane.live.service.ingest_health import IngestHealth
from control_plane.live.service.overview import Overview
from control_plane.live.service.previews import Previews
from control_plane.ops.attention import Attention, Concern
from control_plane.ops.routes import Call, Nothing, One, Route, WebCall
from control_plane.ops.rows import Session, session_row
from control_plane.web import files
from control_plane.web.files import File

FRESH_FOR = 1.0  # seconds
AT_MOST = 2.0  # seconds old, while a new one is made
JPEG = "image/jpeg"
JSON = "application/json"


class Picture(One):
    """``at``: whatever the reader likes, so that its cache asks again."""

    at: int = 0


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
        self,
        overview: Overview,
        ingest: IngestHealth,
        previews: Previews,
        attention: Attention,
    ) -> None:
        self._overview = overview
        self._attention = attention
        self._ingest = ingest
        self._previews = previews
        self._looks = Recent(self._look, FRESH_FOR, AT_MOST)

    def routes(self) -> list[Route]:
        picture = "/v1/sessions/{id}/preview.jpg"
        return [
            Route("GET", "/v1/now", "read", self.now, streams=JSON, holds=Now),
            Route("GET", picture, "read", self.preview, streams=JPEG),
        ]

    async def now(self, call: Call[Nothing, Nothing]) -> File:
        """All that is open, how it comes in, and what needs attention."""
        return await self._looks.get()

    async def preview(self, call: WebCall[Picture, Nothing]) -> web.StreamResponse:
        """The newest picture of a session, whoever may watch it."""
        jpeg = await self._previews.newest(call.params.id)
        headers = {"Cache-Control": "private, max-age=5"}
        return web.Response(body=jpeg, content_type=JPEG, headers=headers)

    async def _look(self) -> File:
        return files.made(msgspec.json.encode(await self._now()), JSON)

    async def _now(self) -> Now:
        seen = await self._overview.open()
        healths = await self._ingest.of_all(one.session for one in seen)
        rows = [session_row(one, healths.get(one.session.id)) for one in seen]
        nodes = [node for node, _ in await self._overview.nodes()]
        needed = await self._attention.needed(nodes, rows)
        return Now(_totals(rows, len(nodes)), needed, rows)


def _totals(rows: Sequence[Session], nodes: int) -> Totals:
    return Totals(
        sessions=len(rows),
        live=sum(one.status == "live" for one in rows),
        reconnecting=sum(one.status == "reconnecting" for one in rows),
        viewers=sum(one.viewers for one in rows),
        bitrate=sum(one.ingest.bitrate or 0 for one in rows if one.ingest),
        nodes=nodes,
    )
