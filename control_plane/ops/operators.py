"""The operators' listener: ``/v1``, for whoever has an operator's token."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Protocol

import structlog
from aiohttp import web

from control_plane.base.faults import Away
from control_plane.base.refusals import BadInput, Empty, NoToken, Refusal, Unavailable
from control_plane.operators.model import Scope
from control_plane.operators.service import OutOfScope, Tokens
from control_plane.web.connections import patience

log = structlog.get_logger(__name__)


class Check(Protocol):
    async def __call__(self) -> None:
        """Raises Refusal."""


#: Whether the request's token still counts, for answers that last.
CHECK = web.RequestKey("check", Check)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

STATUS: Mapping[type[Refusal], int] = {
    BadInput: 400,
    NoToken: 401,
    OutOfScope: 403,
    Empty: 404,
    Unavailable: 503,
}
OTHERS = 409


def operators_app(routes: Iterable[web.AbstractRouteDef]) -> web.Application:
    app = web.Application(middlewares=[patience, _refusals])
    app.add_routes(routes)
    return app


def guarded(tokens: Tokens, scope: Scope, handler: Handler) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        check: Check = partial(tokens.check, _token(request), scope)
        await check()
        request[CHECK] = check
        return await handler(request)

    return handle


def _token(request: web.Request) -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer":
        raise NoToken("This needs an operator's token: Authorization: Bearer …")
    return token.strip()


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        status = next((s for k, s in STATUS.items() if isinstance(refusal, k)), OTHERS)
        return _error(refusal.sentence, status)
    except Away as error:
        log.warning("operators without the stores", error=repr(error))
        return _error(Unavailable().sentence, 503)


def _error(sentence: str, status: int) -> web.Response:
    return web.json_response({"error": sentence}, status=status)
