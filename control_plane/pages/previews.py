"""``/previews/<session>.jpg``: the newest picture of a session."""

from aiohttp import web

from control_plane.base.faults import Away
from control_plane.live.service.previews import Previews
from control_plane.web.files import PREFIXES, refused

PATH = "/previews/{id:[1-9][0-9]{0,8}}.jpg"
SECONDS = 10  # that a browser, and a proxy if everybody may see it, keeps one


def routes(previews: Previews) -> list[web.RouteDef]:
    async def serve(request: web.Request) -> web.Response:
        session_id = int(request.match_info["id"])
        try:
            found = await previews.get(session_id, request.query.get("token", ""))
        except Away:
            return refused(503, "Pictures are away right now.\n")
        if found is None:
            return refused(404, "There is no such picture.\n")
        who = "public" if found.everybodys else "private"
        return web.Response(
            body=found.jpeg,
            content_type="image/jpeg",
            headers={
                "Cache-Control": f"{who}, max-age={SECONDS}",
                "X-Content-Type-Options": "nosniff",
                "Access-Control-Allow-Origin": "*",
            },
        )

    return [web.get(prefix + PATH, serve) for prefix in PREFIXES]
