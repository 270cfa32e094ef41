"""Server-sent events: what every stream of them has in common."""

import asyncio

from aiohttp import web

KEEP_ALIVE = 15.0  # seconds of silence at most
WRITE_WITHIN = 30.0  # seconds that a client may take nothing at all

HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would hold the events back
}
RETRY = b"retry: 2000\n\n"
COMMENT = b": keep-alive\n\n"


async def write(
    request: web.Request, response: web.StreamResponse, frame: bytes
) -> None:
    """Raises ConnectionError when the client takes nothing."""
    try:
        async with asyncio.timeout(WRITE_WITHIN):
            await response.write(frame)
    except TimeoutError:
        # A polite end would wait for the same client.
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionError("the client takes nothing") from None
