"""Gives each request of a listener its id, says it in the answer, and to traces."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from control_plane.base import request_ids
from control_plane.base.request_ids import HEADER, WELL_FORMED
from control_plane.web import traced
from control_plane.web.address import Addresses

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def number(app: web.Application, addresses: Addresses) -> None:
    """A proxy of ours may have given it one already."""

    @web.middleware
    async def numbered(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get(HEADER, "")
        known = WELL_FORMED.fullmatch(given) and addresses.through_proxy(request)
        # Not for this call alone: what fails is logged, and answered, behind it.
        request_ids.answering(given if known else request_ids.made())
        return await handler(request)

    app.middlewares[:0] = [numbered, *traced.requests(addresses)]
    app.on_response_prepare.append(_tell)


async def _tell(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers[HEADER] = request_ids.current()
