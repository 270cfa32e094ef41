"""``/ops``: what operators see and do, in a browser. It asks ``/v1`` for everything."""

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from aiohttp import web

from control_plane.base.faults import Away
from control_plane.ops import guide
from control_plane.web import files
from control_plane.web.files import File
from control_plane.web.origin import Origins
from control_plane.web.packages import CHARTS, DOCS, PLAYER, PLAYING
from control_plane.web.policy import own

STATIC = Path(__file__).parent / "static"
PACKAGED = {
    "uplot.mjs": CHARTS / "uPlot.esm.js",
    "uplot.css": CHARTS / "uPlot.min.css",
    "hls.mjs": PLAYER,
    "swagger-ui.js": DOCS / "swagger-ui-bundle.js",
    "swagger-ui.css": DOCS / "swagger-ui.css",
}
PLAYER_FILES = ("player.js", "engines.js", "within.js")
MARK = b"{{viewers}}"
#: Where whoever came to this host fetches HLS.
HlsUrls = Callable[[str], Awaitable[Sequence[str]]]


def routes(viewers_at: str, origins: Origins, hls_urls: HlsUrls) -> list[web.RouteDef]:
    """``viewers_at``: where viewers reach us; a port alone is on the same host."""
    body = (STATIC / "index.html").read_bytes()
    page = files.file(body.replace(MARK, viewers_at.encode()), files.TYPES[".html"])

    async def show(request: web.Request) -> web.StreamResponse:
        response = files.respond(request, page)
        nodes: Sequence[str] = ()
        with contextlib.suppress(Away):  # it says so itself; nothing plays then
            nodes = await hls_urls(origins.of(request).host)
        response.headers["Content-Security-Policy"] = own(nodes)
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    about = files.read(STATIC / "docs.html")

    async def show_docs(request: web.Request) -> web.StreamResponse:
        response = files.respond(request, about)
        response.headers["Content-Security-Policy"] = own()
        return response

    pages = [web.get("/ops", show), web.get("/ops/docs", show_docs)]
    return [*pages, *guide.routes(), *files.from_memory("/ops/assets", _assets())]


def _assets() -> dict[str, File]:
    everything = files.read_all(STATIC)
    found = {n: one for n, one in everything.items() if not n.endswith(".html")}
    found |= {name: files.read(PLAYING / name) for name in PLAYER_FILES}
    there = {name: path for name, path in PACKAGED.items() if path.is_file()}
    return found | {name: files.read(path) for name, path in there.items()}
