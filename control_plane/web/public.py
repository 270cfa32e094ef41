"""The public listener: the apps' API, the pages and the health checks. No hook, no
metrics, no operator route."""

from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from control_plane.web.connections import patience
from control_plane.web.dispatch import Dispatcher
from control_plane.web.envelope import answer
from control_plane.web.timing import timed

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ALLOWED_HEADERS = "Content-Type, Auth-Token, Api-Key, Idempotency-Key"


def public_app(
    dispatcher: Dispatcher,
    pages: Iterable[web.AbstractRouteDef],
    health: Iterable[web.AbstractRouteDef],
    *,
    cors_origins: str,
) -> web.Application:
    """``cors_origins``: "*", or origins separated by blanks."""
    app = web.Application(middlewares=[timed("public"), patience])
    cors = _cors(cors_origins)

    async def call(request: web.Request) -> web.StreamResponse:
        response = await dispatcher.handle(request)
        cors(request, response)
        return response

    async def preflight(request: web.Request) -> web.StreamResponse:
        response = web.Response(status=204)
        cors(request, response)
        return response

    app.add_routes(pages)
    app.add_routes(health)
    for path in ("/{name:.*}", "/api/{name:.*}"):
        app.router.add_route("OPTIONS", path, preflight)
        app.router.add_route("POST", path, call)
    app.router.add_route("*", "/api/{name:.*}", _another_method)
    return app


async def _another_method(_request: web.Request) -> web.Response:
    """Nothing below ``/api`` has another shape than the envelope."""
    return answer("Please call this by POST.", 400)


def _cors(origins: str) -> Callable[[web.Request, web.StreamResponse], None]:
    allowed = origins.split()

    def allow(request: web.Request, response: web.StreamResponse) -> None:
        origin = request.headers.get("Origin")
        if origin is None or not ("*" in allowed or origin in allowed):
            return
        response.headers["Access-Control-Allow-Origin"] = (
            "*" if "*" in allowed else origin
        )
        response.headers["Access-Control-Allow-Methods"] = "POST, OPTIONS"
        response.headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
        response.headers["Access-Control-Max-Age"] = "600"
        if "*" not in allowed:
            response.headers["Vary"] = "Origin"

    return allow
