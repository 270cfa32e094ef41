"""The public listener: the apps' API, the pages and the health checks. No hook, no
metrics, no operator route."""

from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from control_plane.web.connections import patience
from control_plane.web.dispatch import Dispatcher
from control_plane.web.envelope import answer
from control_plane.web.timing import timed

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ORIGIN = "Access-Control-Allow-Origin"
ALLOWED_METHODS = "GET, POST, OPTIONS"
ALLOWED_HEADERS = "Content-Type, Auth-Token, Api-Key, Idempotency-Key, Last-Event-ID"


def public_app(
    dispatcher: Dispatcher,
    pages: Iterable[web.AbstractRouteDef],
    health: Iterable[web.AbstractRouteDef],
    *,
    cors_origins: str,
) -> web.Application:
    """``cors_origins``: "*", or origins separated by blanks."""
    app = web.Application(middlewares=[timed("public"), patience])
    app.on_response_prepare.append(_cors(cors_origins))
    app.add_routes(pages)
    app.add_routes(health)
    for path in ("/{name:.*}", "/api/{name:.*}"):
        app.router.add_route("OPTIONS", path, _preflight)
        app.router.add_route("POST", path, dispatcher.handle)
    app.router.add_route("*", "/api/{name:.*}", _another_method)
    return app


async def _preflight(_request: web.Request) -> web.Response:
    return web.Response(status=204)


async def _another_method(_request: web.Request) -> web.Response:
    """Nothing below ``/api`` has another shape than the envelope."""
    return answer("Please call this by POST.", 400)


def _cors(
    origins: str,
) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """As it is prepared: an event stream is sent before its handler returns."""
    allowed = origins.split()

    async def allow(request: web.Request, response: web.StreamResponse) -> None:
        origin = request.headers.get("Origin")
        if origin is None or not ("*" in allowed or origin in allowed):
            return
        # A file that is for all says so itself.
        if not _is_call(request) or ORIGIN in response.headers:
            return
        response.headers[ORIGIN] = "*" if "*" in allowed else origin
        response.headers["Access-Control-Allow-Methods"] = ALLOWED_METHODS
        response.headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
        response.headers["Access-Control-Max-Age"] = "600"
        if "*" not in allowed:
            response.headers.add("Vary", "Origin")

    return allow


def _is_call(request: web.Request) -> bool:
    """Or is about to be one. Pages are read by themselves alone."""
    return request.method in ("POST", "OPTIONS") or request.path.startswith("/api/")
