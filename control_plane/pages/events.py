"""Server-sent events: the state of what a page shows, as it changes, and what happens
in the session that it is."""

import asyncio
import contextlib
import re

from aiohttp import web

from control_plane.base.faults import StoreFault
from control_plane.pages.feeds import Feeds
from control_plane.pages.reader import Reader
from control_plane.pages.relay import Over, Relay, Topic
from control_plane.pages.updates import NoSuchStream
from control_plane.web import sse

FIRST_WITHIN = 5.0  # seconds until the service said something
TOLD = re.compile(r"([0-9]{1,10})-([0-9]{1,18})")


async def stream(
    request: web.Request, relay: Relay, name: str, feeds: Feeds | None = None
) -> web.StreamResponse:
    """404 for an unknown name, 503 when asking again may help. ``feeds``: for what
    happens, where that is wanted."""
    async with relay.follow(name) as topic:
        try:
            async with asyncio.timeout(FIRST_WITHIN):
                await topic.first()
        except NoSuchStream:
            return web.Response(status=404, text="There is no such stream.\n")
        except (Over, TimeoutError):
            return web.Response(status=503, headers={"Retry-After": "2"})
        response = web.StreamResponse(headers=sse.HEADERS)
        # Without the store nobody knows what was missed: the reader comes again.
        with contextlib.suppress(ConnectionError, StoreFault):
            await response.prepare(request)
            await sse.write(request, response, sse.RETRY)
            await _send(request, response, topic, feeds)
    return response


async def _send(
    request: web.Request,
    response: web.StreamResponse,
    topic: Topic,
    feeds: Feeds | None,
) -> None:
    bell = asyncio.Event()
    reader = Reader(topic, feeds, bell, _told(request))
    with topic.ringing(bell), contextlib.closing(reader):
        while True:
            bell.clear()
            try:
                frames = await reader.news() or await _silence(bell)
            except Over:
                return
            if frames:
                await sse.write(request, response, frames)


async def _silence(bell: asyncio.Event) -> bytes:
    """Until there is something, or too long."""
    try:
        async with asyncio.timeout(sse.KEEP_ALIVE):
            await bell.wait()
    except TimeoutError:
        return sse.COMMENT
    return b""


def _told(request: web.Request) -> tuple[int, int] | None:
    """The session, and the number of its event that the client has seen last."""
    last = request.headers.get("Last-Event-ID") or request.query.get("after", "")
    match = TOLD.fullmatch(last)
    return (int(match[1]), int(match[2])) if match else None
