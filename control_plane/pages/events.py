"""Server-sent events: the state of what a page shows, as it changes."""

import asyncio
import contextlib

from aiohttp import web

from control_plane.pages.relay import Over, Relay, Topic
from control_plane.pages.updates import NoSuchStream

KEEP_ALIVE = 15.0  # seconds of silence at most
FIRST_WITHIN = 5.0  # seconds until the service said something
WRITE_WITHIN = 30.0  # seconds that a client may take nothing at all

HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would hold the events back
}
RETRY = b"retry: 2000\n\n"
COMMENT = b": keep-alive\n\n"


async def stream(request: web.Request, relay: Relay, name: str) -> web.StreamResponse:
    """404 for an unknown name, 503 when asking again may help."""
    async with relay.follow(name) as topic:
        try:
            async with asyncio.timeout(FIRST_WITHIN):
                version, frame = await topic.after(0)
        except NoSuchStream:
            return web.Response(status=404, text="There is no such stream.\n")
        except (Over, TimeoutError):
            return web.Response(status=503, headers={"Retry-After": "2"})
        response = web.StreamResponse(headers=HEADERS)
        with contextlib.suppress(ConnectionError):
            await response.prepare(request)
            await _write(request, response, RETRY + frame)
            await _send(request, response, topic, version)
    return response


async def _send(
    request: web.Request, response: web.StreamResponse, topic: Topic, version: int
) -> None:
    while True:
        try:
            async with asyncio.timeout(KEEP_ALIVE):
                version, frame = await topic.after(version)
        except TimeoutError:
            frame = COMMENT
        except Over:
            return
        await _write(request, response, frame)


async def _write(
    request: web.Request, response: web.StreamResponse, frame: bytes
) -> None:
    try:
        async with asyncio.timeout(WRITE_WITHIN):
            await response.write(frame)
    except TimeoutError:
        # A polite end would wait for the same client.
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionError("the client takes nothing") from None
