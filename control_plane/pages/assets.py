"""The pages' files, read once and kept in memory, compressed."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from aiohttp.helpers import ETag

STATIC = Path(__file__).parent / "static"
#: Fetched at set-up by ``npm ci``; never committed.
PLAYER = Path(__file__).parent / "player/node_modules/hls.js/dist/hls.min.mjs"

TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    body: bytes
    gzipped: bytes
    content_type: str
    tag: str


def asset(body: bytes, content_type: str) -> Asset:
    tag = hashlib.sha256(body).hexdigest()[:16]
    return Asset(body, gzip.compress(body, mtime=0), content_type, tag)


def read(path: Path) -> Asset:
    return asset(path.read_bytes(), TYPES[path.suffix])


def respond(request: web.Request, of: Asset) -> web.Response:
    """Asked for anew each time, sent only when it changed: after an update no
    viewer runs half of the old scripts."""
    headers = {
        "Cache-Control": "no-cache",
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    known = any(tag.value == of.tag for tag in request.if_none_match or ())
    response = web.Response(
        status=304 if known else 200,
        headers=headers,
        content_type=of.content_type,
        charset="utf-8",
    )
    response.etag = ETag(of.tag, is_weak=True)
    if not known:
        _fill(request, response, of)
    return response


def _fill(request: web.Request, response: web.Response, of: Asset) -> None:
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        response.headers["Content-Encoding"] = "gzip"
        response.body = of.gzipped
    else:
        response.body = of.body
