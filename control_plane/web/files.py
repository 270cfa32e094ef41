"""Files that we serve ourselves: small ones from memory, large ones from disk."""

import functools
import gzip
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from aiohttp.helpers import ETag

#: Also below ``/api``: some proxies let nothing else through.
PREFIXES = ("", "/api")
REVALIDATED = "no-cache"
HOUR = "public, max-age=3600"
DAY = "public, max-age=86400"

TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class File:
    """``packed``: None where that would save nothing."""

    body: bytes
    packed: bytes | None
    content_type: str
    tag: str


@functools.cache
def file(body: bytes, content_type: str) -> File:
    """Packed once a process, however many services it has."""
    return made(body, content_type, level=9)


def made(body: bytes, content_type: str, level: int = 1) -> File:
    """As it is now. ``level``: of gzip."""
    packed = gzip.compress(body, level, mtime=0)
    return File(
        body,
        packed if len(packed) < len(body) * 0.9 else None,
        content_type,
        hashlib.sha256(body).hexdigest()[:16],
    )


def read(path: Path) -> File:
    return file(path.read_bytes(), TYPES[path.suffix])


def read_all(folder: Path, pattern: str = "*") -> dict[str, File]:
    return {path.name: read(path) for path in sorted(folder.glob(pattern))}


def respond(
    request: web.Request, of: File, headers: Mapping[str, str] | None = None
) -> web.Response:
    known = any(tag.value == of.tag for tag in request.if_none_match or ())
    response = web.Response(
        status=304 if known else 200,
        headers={**(headers or _headers()), "Vary": "Accept-Encoding"},
        content_type=of.content_type,
        charset="utf-8" if of.content_type.startswith("text/") else None,
    )
    response.etag = ETag(of.tag, is_weak=True)
    if not known:
        _fill(request, response, of)
    return response


def _headers(cache: str = REVALIDATED, *, anywhere: bool = False) -> dict[str, str]:
    headers = {"Cache-Control": cache, "X-Content-Type-Options": "nosniff"}
    return headers | ({"Access-Control-Allow-Origin": "*"} if anywhere else {})


def _fill(request: web.Request, response: web.Response, of: File) -> None:
    if of.packed is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
        response.headers["Content-Encoding"] = "gzip"
        response.body = of.packed
    else:
        response.body = of.body


def from_memory(
    place: str,
    files: Mapping[str, File],
    cache: str = REVALIDATED,
    *,
    anywhere: bool = False,
) -> list[web.RouteDef]:
    """``anywhere``: for players and apps in a browser, on whatever page."""
    headers = _headers(cache, anywhere=anywhere)

    async def serve(request: web.Request) -> web.StreamResponse:
        found = files.get(request.match_info["name"])
        return _missing() if found is None else respond(request, found, headers)

    return _routes(f"{place}/{{name}}", serve)


def from_disk(
    place: str, folder: Path, names: str, cache: str, *, anywhere: bool = False
) -> list[web.RouteDef]:
    """``names``: a pattern without a slash, so that nothing outside is reached."""
    headers = _headers(cache, anywhere=anywhere)

    async def serve(request: web.Request) -> web.StreamResponse:
        path = folder / request.match_info["name"]
        if not path.is_file():
            return _missing()
        return web.FileResponse(path, headers=headers)

    return _routes(f"{place}/{{name:{names}}}", serve)


def _routes(path: str, serve: Handler) -> list[web.RouteDef]:
    return [web.get(prefix + path, serve) for prefix in PREFIXES]


def _missing() -> web.Response:
    return refused(404, "There is no such file.\n")


def refused(status: int, text: str) -> web.Response:
    """Kept by nobody: it may be there soon."""
    return web.Response(status=status, text=text, headers={"Cache-Control": "no-store"})
