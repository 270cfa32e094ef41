"""``/media``: videos and pictures that this server serves itself."""

from pathlib import Path

from aiohttp import web

NAME = "/media/{name:[a-z0-9][a-z0-9-]{0,63}[.](?:mp4|jpg)}"
HEADERS = {
    "Cache-Control": "public, max-age=3600",
    "X-Content-Type-Options": "nosniff",
    # Players in a browser may be anywhere.
    "Access-Control-Allow-Origin": "*",
}


def routes(folder: Path | None) -> list[web.RouteDef]:
    """None: nothing is served. Names hold no slash, so nothing outside is reached."""
    if folder is None:
        return []
    place = folder

    async def media(request: web.Request) -> web.StreamResponse:
        file = place / request.match_info["name"]
        if not file.is_file():
            return web.Response(status=404, text="There is no such file.\n")
        return web.FileResponse(file, headers=HEADERS)

    return [web.get(NAME, media)]
