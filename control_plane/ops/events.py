"""``/v1/events``: the log by cursor, and live."""

import asyncio
import contextlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, get_args

from aiohttp import web
from msgspec import Meta, Struct

from control_plane.base.faults import StoreFault
from control_plane.base.refusals import BadInput, Refusal
from control_plane.events.model import (
    BadCursor,
    Event,
    Position,
    Subject,
    position,
    told,
)
from control_plane.events.reading import About, Reading, Wanted
from control_plane.events.tail import Tail
from control_plane.events.types import KINDS
from control_plane.ops.dispatch import CHECK
from control_plane.ops.routes import PLAIN, Call, Nothing, Route, Text, WebCall
from control_plane.web import sse

LIMIT, MOST = 100, 1000  # events in an answer
FIRST = asyncio.FIRST_COMPLETED
CHECK_EVERY = 30.0  # seconds that a revoked token may read on
#: What ends a stream: its reader is gone, may read no more, or nobody knows whether.
ENDING = (ConnectionError, Refusal, StoreFault)
END = "end"  # the cursor of what is yet to come
#: With room for more than there are.
Types = Annotated[str, Meta(max_length=4000, pattern=PLAIN)]


class Chosen(Struct, forbid_unknown_fields=True, kw_only=True):
    """``types``: only these, between commas. ``subject``: ``session/12``, ``user/7`` or
    ``node/1``. ``after``: a cursor, or ``end``."""

    types: Types = ""
    subject: Text = ""


class EventQuery(Chosen, kw_only=True):
    """``month``: of UTC, like ``2026-11``."""

    month: Annotated[str, Meta(pattern=r"^([0-9]{4}-[0-9]{2})?$")] = ""
    after: Text = ""
    limit: Annotated[int, Meta(ge=1, le=MOST)] = LIMIT


class NewestQuery(Chosen, kw_only=True):
    """``limit``: of the log's last so many, those that are wanted."""

    limit: Annotated[int, Meta(ge=1, le=MOST)] = LIMIT


class OneEvent(Struct, forbid_unknown_fields=True):
    """``id``: as in ``evt_1041``."""

    id: Text


class StreamQuery(Chosen, kw_only=True):
    after: Text = END


class EventPage(Struct, frozen=True):
    """``next``: for ``after``. ``more``: there is something behind it now."""

    events: list[dict[str, Any]]
    next: str
    more: bool


class EventsApi:
    def __init__(self, reading: Reading, tail: Tail) -> None:
        self._reading = reading
        self._tail = tail
        self._closing = asyncio.Event()

    def routes(self) -> list[Route]:
        kind = sse.HEADERS["Content-Type"]
        return [
            Route("GET", "/v1/events", "read", self.page),
            Route("GET", "/v1/events/newest", "read", self.newest),
            Route("GET", "/v1/events/{id}", "read", self.get),
            Route("GET", "/v1/events/stream", "read", self.stream, streams=kind),
        ]

    def close(self) -> None:
        """Ends every stream: a shutdown waits for nobody who only listens."""
        self._closing.set()

    async def page(self, call: Call[EventQuery, Nothing]) -> EventPage:
        """Read the log on from a cursor."""
        asked = call.params
        start = await self._position(asked.after)
        of = replace(wanted(asked), month=_month(asked.month))
        page = await self._reading.page(start, asked.limit, of)
        events = [told(event) for event in page.events]
        return EventPage(events, str(page.next), page.more)

    async def newest(self, call: Call[NewestQuery, Nothing]) -> EventPage:
        """Read what happened last."""
        asked, of = call.params, wanted(call.params)
        found = await self._reading.newest(asked.limit)
        start = found[-1].position if found else await self._reading.end()
        events = [told(event) for event in found if of.takes(event)]
        return EventPage(events, str(start), more=False)

    async def get(self, call: Call[OneEvent, Nothing]) -> dict[str, Any]:
        """One event."""
        return told(await self._reading.get(call.params.id))

    async def stream(self, call: WebCall[StreamQuery, Nothing]) -> web.StreamResponse:
        """Follow the log live, as server-sent events."""
        # Everybody reads on from an own position, so nobody waits for the slow.
        request = call.request
        cursor = request.headers.get("Last-Event-ID") or call.params.after
        start, of = await self._position(cursor), wanted(call.params)
        response = web.StreamResponse(headers=sse.HEADERS)
        with contextlib.suppress(*ENDING), self._tail.followed():
            await response.prepare(request)
            await sse.write(request, response, sse.RETRY + _place(start))
            await self._follow(request, response, start, of)
        return response

    async def _follow(
        self,
        request: web.Request,
        response: web.StreamResponse,
        start: Position,
        of: Wanted,
    ) -> None:
        loop = asyncio.get_running_loop()
        check_at = loop.time() + CHECK_EVERY
        place_at = loop.time() + sse.KEEP_ALIVE
        while not self._closing.is_set():
            events = await self._next(start, place_at - loop.time())
            if loop.time() > check_at:
                await request[CHECK]()
                check_at = loop.time() + CHECK_EVERY
            start = events[-1].position if events else start
            frames = b"".join(_frame(event) for event in events if of.takes(event))
            # In silence, and while nothing is wanted, the place alone, from which a
            # reader that comes again goes on.
            if frames or not events or loop.time() > place_at:
                await sse.write(request, response, frames or _place(start))
                place_at = loop.time() + sse.KEEP_ALIVE

    async def _next(self, start: Position, within: float) -> Sequence[Event]:
        """None within so many seconds, or when all of it ends: none."""
        coming = asyncio.ensure_future(self._tail.after(start))
        closing = asyncio.ensure_future(self._closing.wait())
        either = {coming, closing}
        try:
            await asyncio.wait(either, timeout=within, return_when=FIRST)
            return coming.result() if coming.done() else ()
        finally:
            coming.cancel()
            closing.cancel()

    async def _position(self, cursor: str) -> Position:
        if cursor == END:
            return await self._reading.end()
        try:
            return position(cursor)
        except BadCursor:
            raise BadInput("after is no cursor of this log.") from None


def wanted(query: Chosen) -> Wanted:
    """Raises BadInput."""
    types = [name for name in query.types.split(",") if name]
    for name in types:
        if name not in KINDS:
            raise BadInput(f"There is no type of event called {name}.")
    return Wanted(frozenset(types), _subject(query.subject))


def _month(text: str) -> date | None:
    """Its first day."""
    if not text:
        return None
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise BadInput("month is no month, like 2026-11.") from None


def _subject(text: str) -> About | None:
    if not text:
        return None
    kind, _, number = text.partition("/")
    known: dict[str, Subject] = {name: name for name in get_args(Subject)}
    if kind not in known or not number.isascii() or not number.isdigit():
        raise BadInput("subject is session/ID, user/ID or node/ID.")
    if int(number) >= 2**31:
        raise BadInput("subject has no such ID.")
    return known[kind], int(number)


def _frame(event: Event) -> bytes:
    body = json.dumps(told(event), separators=(",", ":"))
    return f"id: {event.position}\ndata: {body}\n\n".encode()


def _place(start: Position) -> bytes:
    return f"id: {start}\n\n".encode()
