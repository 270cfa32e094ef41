"""Counts and times each request of a listener by its route, never by its path."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from control_plane.web.metrics import REQUEST_DURATIONS, count_request

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: What an answer of status 200 may hide, and the name of what was called.
OUTCOME = web.RequestKey("outcome", str)
ROUTE = web.RequestKey("route", str)
STREAM = "text/event-stream"
LEFT = 499  # as others call it: the client did not wait


def timed(listener: str) -> Middleware:
    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        began = time.perf_counter()
        status, stream = 500, False
        try:
            response = await handler(request)
            status, stream = response.status, response.content_type == STREAM
        except web.HTTPException as refused:
            status = refused.status
            raise
        except (ConnectionError, asyncio.CancelledError):
            status = LEFT
            raise
        finally:
            route = route_of(request)
            count_request(listener, route, request.get(OUTCOME) or _outcome(status))
            if not stream and status != LEFT:
                took = time.perf_counter() - began
                REQUEST_DURATIONS.add((listener, route), took)
        return response

    return middleware


def route_of(request: web.Request) -> str:
    """Ours; what it was called by may hold anything."""
    if ROUTE in request:
        return request[ROUTE]
    resource = request.match_info.route.resource
    return "unknown" if resource is None else resource.canonical


def _outcome(status: int) -> str:
    if status == LEFT:
        return "left"
    if status >= 500:
        return "away" if status == 503 else "failed"
    return "refused" if status >= 400 else "ok"
