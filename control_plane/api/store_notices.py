"""``POST /stores/apple/notifications``: App Store Server Notifications V2.

Beside ``/api``, as HTTP status codes count here: Apple sends again what was not
answered with 200.
"""

import json
from typing import TYPE_CHECKING

from aiohttp import web

from control_plane.base.faults import Away
from control_plane.base.streams import whole
from control_plane.coins.model.purchases import NotBought
from control_plane.coins.service.purchases import Purchases

if TYPE_CHECKING:
    from control_plane.coins.app_stores.apple import AppleStore

LARGEST = 200_000  # bytes


def routes(apple: "AppleStore | None", purchases: Purchases) -> list[web.RouteDef]:
    """None: not configured, nothing is served."""
    if apple is None:
        return []
    store = apple

    async def notified(request: web.Request) -> web.Response:
        payload = await _payload(request)
        if payload is None:
            return web.Response(status=400)
        try:
            notice = await store.notice(payload)
            if notice is not None:
                await purchases.notice(notice)
        except NotBought:
            return web.Response(status=401)
        except Away:
            return web.Response(status=503)
        return web.Response()

    return [web.post("/stores/apple/notifications", notified)]


async def _payload(request: web.Request) -> dict[str, object] | None:
    try:
        payload = json.loads(await whole(request.content, LARGEST) or b"")
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None
