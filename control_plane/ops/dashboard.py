"""``/ops``: what operators see and do, in a browser. It asks ``/v1`` for everything."""

from pathlib import Path

from aiohttp import web

from control_plane.web import files
from control_plane.web.files import File
from control_plane.web.packages import CHARTS
from control_plane.web.policy import OURS

STATIC = Path(__file__).parent / "static"
CHART_FILES = {"uplot.mjs": "uPlot.esm.js", "uplot.css": "uPlot.min.css"}
MARK = b"{{viewers}}"


def routes(viewers_at: str) -> list[web.RouteDef]:
    """``viewers_at``: where viewers reach us; a port alone is on the same host."""
    body = (STATIC / "index.html").read_bytes()
    page = files.file(body.replace(MARK, viewers_at.encode()), files.TYPES[".html"])

    async def show(request: web.Request) -> web.StreamResponse:
        response = files.respond(request, page)
        response.headers["Content-Security-Policy"] = OURS
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    return [web.get("/ops", show), *files.from_memory("/ops/assets", _assets())]


def _assets() -> dict[str, File]:
    everything = files.read_all(STATIC)
    found = {n: one for n, one in everything.items() if not n.endswith(".html")}
    for name, source in CHART_FILES.items():
        if (CHARTS / source).is_file():
            found[name] = files.read(CHARTS / source)
    return found
