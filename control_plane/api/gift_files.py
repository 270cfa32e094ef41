"""``GET /gifts/<name>.png``: the pictures of the gifts that come with the service.
PNG: the Android app draws no SVG."""

from pathlib import Path

from aiohttp import web

HEADERS = {
    "Cache-Control": "public, max-age=86400",
    "X-Content-Type-Options": "nosniff",
    "Access-Control-Allow-Origin": "*",
}


def routes() -> list[web.RouteDef]:
    folder = Path(__file__).parent / "gift_pictures"
    pictures = {file.name: file.read_bytes() for file in folder.glob("*.png")}

    async def picture(request: web.Request) -> web.Response:
        body = pictures.get(request.match_info["name"])
        if body is None:
            return web.Response(status=404, text="There is no such picture.\n")
        return web.Response(body=body, content_type="image/png", headers=HEADERS)

    return [web.get("/gifts/{name}", picture)]
