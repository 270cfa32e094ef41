"""From a request to its route's handler, and back: the token, its scope and how often
it asks, what the request says, and that it counts once."""

import hashlib
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from importlib.metadata import version

import structlog
from aiohttp import web

from control_plane.audit.model import Actor
from control_plane.base.faults import Away, Collided, Rejected
from control_plane.base.refusals import BadInput, Refusal, TooMany, Unavailable
from control_plane.base.streams import whole
from control_plane.operators.model import OperatorToken
from control_plane.operators.requests import Requests
from control_plane.ops.admission import KEY, Admission, Check
from control_plane.ops.carrying import acted, carried_out, read_body, read_params
from control_plane.ops.limits import Budget
from control_plane.ops.problems import problem, status_of
from control_plane.ops.routes import Route, WebCall
from control_plane.web import files
from control_plane.web.body import encoded, header
from control_plane.web.connections import patience
from control_plane.web.files import File
from control_plane.web.timing import timed

log = structlog.get_logger(__name__)

LARGEST = 65_536  # bytes of a body
#: In each answer to a token: a command believes no other server that it did something.
OURS = {"Control-Plane": version("live-control-plane")}

#: Whether the request's token still counts, for answers that last.
CHECK = web.RequestKey("check", Check)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Dispatcher:
    def __init__(
        self, admission: Admission, requests: Requests, budget: Budget
    ) -> None:
        self._admission = admission
        self._requests = requests
        self._budget = budget

    def app(self, routes: Iterable[Route]) -> web.Application:
        app = web.Application(middlewares=[timed("operator"), patience, _refusals])
        for route in routes:
            handler = partial(self._handle, route)
            app.router.add_route(route.method, route.path, handler)
        return app

    async def _handle(self, route: Route, request: web.Request) -> web.StreamResponse:
        caller = await self._admit(route, request)
        if caller is None:
            return await self._answered(route, request, None)
        left = self._budget.take(caller.id, time.monotonic())
        try:
            if left.exceeded:
                raise TooMany
            response = await self._answered(route, request, caller)
        except Refusal as refusal:
            response = problem(status_of(refusal), refusal.sentence)
        if not response.prepared:
            response.headers.update(OURS | left.headers)
        return response

    async def _admit(self, route: Route, request: web.Request) -> OperatorToken | None:
        if route.needs == "open":
            return None
        scope = None if route.needs == "any" else route.needs
        check = self._admission.check(request, scope, writes=route.writes)
        request[CHECK] = check
        return await check()

    async def _answered(
        self, route: Route, request: web.Request, caller: OperatorToken | None
    ) -> web.StreamResponse:
        params = read_params(route, _given(request))
        raw = await _raw(route, request)
        key = header(request, KEY) or None
        once = _name(caller, key)
        call = WebCall(params, read_body(route, raw), caller, once, request)
        if route.streams:
            return _streamed(request, await route.handler(call))
        if caller is None or not route.writes:
            return _response(await carried_out(route, call))
        work = partial(acted, route, call, Actor("operator", caller.name))
        if key is None:
            return _response(await work())
        said = (request.method.encode(), request.path_qs.encode(), raw)
        return _response(await self._requests.once(caller.id, key, said, work))


def _name(caller: OperatorToken | None, key: str | None) -> str:
    """Of the request, and of nobody else's."""
    if caller is None or key is None:
        return ""
    return hashlib.sha256(f"{caller.id}:{key}".encode()).hexdigest()


def _streamed(
    request: web.Request, found: web.StreamResponse | File
) -> web.StreamResponse:
    return files.respond(request, found) if isinstance(found, File) else found


def _response(answered: tuple[int, bytes]) -> web.Response:
    status, body = answered
    if status == 204:
        return web.Response(status=204)
    return web.Response(
        status=status,
        body=body,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def _given(request: web.Request) -> dict[str, str]:
    given = dict(request.match_info)
    for name, value in request.query.items():
        if name in given:
            raise BadInput(f"{name} is given twice.")
        given[name] = value
    return given


async def _raw(route: Route, request: web.Request) -> bytes:
    if not route.takes_body:
        return b""
    if encoded(request):
        raise BadInput("Compressed requests are not read.")
    raw = await whole(request.content, LARGEST)
    if raw is None:
        raise BadInput("The body is too long.")
    return raw


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        return problem(status_of(refusal), refusal.sentence)
    except Rejected:
        return problem(400, "Something in the request cannot be stored.")
    except (Away, Collided) as error:
        log.warning("operators without the stores", error=repr(error))
        return problem(503, Unavailable().sentence)
    except web.HTTPMethodNotAllowed as error:
        found = problem(405, "There is no such method here.")
        found.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
        return found
    except web.HTTPNotFound:
        return problem(404, "There is no such route.")
