"""Spans of requests: those that come, and those that we make."""

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from control_plane.base import request_ids, traces
from control_plane.web.address import Addresses
from control_plane.web.timing import OUTCOME, route_of

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from control_plane.base.tracing import Tracing

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: What is asked so often that nobody looks at it.
PROBES = frozenset({"/healthz", "/readyz"})
#: Of a node's API, without the ids of who is there.
NODE_CALL = re.compile(r"/v3/(?:info|[a-z]+/(?:list|kick))\b")
#: Outcomes that are our own fault.
BAD = frozenset({"away", "failed"})


def requests(addresses: Addresses) -> list[Middleware]:
    """Empty where nothing is traced. Only a proxy of ours may say which trace one
    belongs to, or strangers would decide what is exported."""
    tracing = traces.current()
    if tracing is None:
        return []

    @web.middleware
    async def traced(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in PROBES:
            return await handler(request)
        trusted = addresses.through_proxy(request)
        begun = request.headers.get("traceparent", "") if trusted else ""
        span = tracing.serves(_method(request.method), begun)
        span.set_attribute("request_id", request_ids.current())
        with tracing.inside(span):
            try:
                found = await _answered(request, handler)
                _tell_status(tracing, span, found.status, bad_from=500)
            finally:
                _tell_route(tracing, span, request)
        if isinstance(found, web.HTTPException):
            raise found
        return found

    return [traced]


def calls(named: re.Pattern[str] | None = None) -> list[aiohttp.ClientMiddlewareType]:
    """Of a client. ``named``: what may be said of a path; else only the host is."""
    tracing = traces.current()
    if tracing is None:
        return []
    return [_called(tracing, named)]


def _called(
    tracing: "Tracing", named: re.Pattern[str] | None
) -> aiohttp.ClientMiddlewareType:
    async def traced(
        request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        found = named.search(request.url.path) if named else None
        template = found[0] if found else ""
        span = tracing.asks(f"{_method(request.method)} {template}".strip())
        span.set_attribute("http.request.method", request.method)
        span.set_attribute("server.address", request.url.host or "")
        span.set_attribute("server.port", request.url.port or 0)
        if template:
            span.set_attribute("url.template", template)
        with tracing.inside(span):
            request.headers.update(tracing.headers())
            response = await send(request)
            _tell_status(tracing, span, response.status, bad_from=400)
            return response

    return traced


async def _answered(
    request: web.Request, handler: Handler
) -> web.StreamResponse | web.HTTPException:
    try:
        return await handler(request)
    except web.HTTPException as answer:
        return answer


def _tell_status(
    tracing: "Tracing", span: "Span", status: int, *, bad_from: int
) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= bad_from:
        tracing.failed(span, str(status))


def _tell_route(tracing: "Tracing", span: "Span", request: web.Request) -> None:
    method, route = _method(request.method), f"/{route_of(request).lstrip('/')}"
    span.update_name(f"{method} {route}")
    span.set_attribute("http.request.method", method)
    span.set_attribute("http.route", route)
    if outcome := request.get(OUTCOME):
        span.set_attribute("outcome", outcome)
        if outcome in BAD:
            tracing.failed(span, outcome)


def _method(given: str) -> str:
    """A client may send any word."""
    return given if given in hdrs.METH_ALL else "_OTHER"
