"""What operators scrape of the roles that nodes do not call. Never public."""

from aiohttp import web

from control_plane.live.service.health import Health
from control_plane.ops import status
from control_plane.web.metrics import exposition


def app(health: Health) -> web.Application:
    async def metrics(_request: web.Request) -> web.Response:
        body, content_type = exposition()
        return web.Response(body=body, headers={"Content-Type": content_type})

    found = web.Application()
    found.add_routes([web.get("/metrics", metrics), *status.routes(health)])
    return found
