"""HLS out, with v1.20.1's sessions, or v1.17.1's question for each request."""

import asyncio
import re
import time
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from mediamtx.sandbox.auth import compact_json
from mediamtx.sandbox.muxer import MASTER
from mediamtx.sandbox.paths import HlsSession, Node, Stream

COOKIE = "cookieCheck=1; HttpOnly; Secure; SameSite=None; Partitioned"
PLAYLIST = "application/vnd.apple.mpegurl"
PAGE = "sandbox node: not for production\n"
URI = re.compile(r'URI="([^"]+)"')


class Hls:
    def __init__(self, node: Node) -> None:
        self._node = node

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.method == "OPTIONS":
            return self._answer(_preflight())
        path, _, name = request.path.removeprefix("/").rpartition("/")
        if request.method != "GET" or not path:
            response = self._not_found()
        elif name and "." not in name:
            headers = {"Location": f"{request.path}/"}
            response = web.Response(status=302, headers=headers)
        elif self._is_cache(request):
            response = await self._of_cache(path, name)
        elif self._node.version.hls_sessions and _is_first(request, name):
            response = _check_cookies(request)
        elif not self._node.config.path.search(path):
            response = self._not_configured(path)
        else:
            response = await self._of_path(request, path, name)
        return self._answer(response)

    async def _of_path(
        self, request: web.Request, path: str, name: str
    ) -> web.Response:
        if not name:
            return await self._page(request, path)
        if name == MASTER:
            return await self._master(request, path)
        return await self._child(request, path, name)

    def _is_cache(self, request: web.Request) -> bool:
        secret = self._node.config.cdn_secret
        return (
            bool(secret) and request.headers.get("Authorization") == f"Bearer {secret}"
        )

    async def _of_cache(self, path: str, name: str) -> web.Response:
        """Nobody is asked, and all share one session, which begins with a master."""
        stream = self._node.streams.get(path)
        if name != MASTER and (stream is None or path not in self._node.cached):
            return _error(401, "authentication error")
        if stream is None:
            return self._no_stream(path)
        response = await _content(stream, name, "")
        if self._node.streams.get(path) is stream:
            self._node.cached[path] = time.monotonic()
        return self._count(response, None, stream)

    async def _page(self, request: web.Request, path: str) -> web.Response:
        asked = HlsSession(path, _query(request), _remote(request), "")
        refusal = await self._refusal(request, asked, None)
        return refusal or web.Response(text=PAGE)

    async def _master(self, request: web.Request, path: str) -> web.Response:
        remote = _remote(request)
        query = _query(request)
        session = HlsSession(path, query, remote, request.headers.get("User-Agent", ""))
        id_ = session.id if self._node.version.hls_sessions else None
        refusal = await self._refusal(request, session, id_)
        if refusal is not None:
            return refusal
        stream = self._node.streams.get(path)
        text = None if stream is None else await stream.muxer.playlist(MASTER)
        if stream is None or text is None or self._node.streams.get(path) is not stream:
            return self._no_stream(path)
        if not self._node.version.hls_sessions:
            return _playlist(text, query)
        self._node.open_session(session)
        return self._count(_playlist(text, _with_session(session)), session, stream)

    async def _child(self, request: web.Request, path: str, name: str) -> web.Response:
        query = _query(request)
        session: HlsSession | None = None
        if self._node.version.hls_sessions:
            secret = request.query.get("session", "")
            ip = _remote(request).rpartition(":")[0]
            session = self._node.session(secret, path, ip)
            if session is None:
                return _error(401, "authentication error")
            query = _with_session(session)
        else:
            asked = HlsSession(path, query, _remote(request), "")
            refusal = await self._refusal(request, asked, None)
            if refusal is not None:
                return refusal
        stream = self._node.streams.get(path)
        if stream is None:
            return self._no_stream(path)
        response = await _content(stream, name, query)
        return self._count(response, session, stream)

    async def _refusal(
        self, request: web.Request, session: HlsSession, id_: str | None
    ) -> web.Response | None:
        authorization = request.headers.get("Authorization")
        allowed = await self._node.auth.allows(
            "read",
            session.path,
            "hls",
            ip=session.ip,
            query=session.query,
            id_=id_,
            credentials=self._node.auth.http_credentials(authorization),
            agent=session.agent,
        )
        if allowed:
            return None
        response = _error(401, "authentication error")
        if authorization is None:
            response.headers["WWW-Authenticate"] = 'Basic realm="mediamtx"'
        else:
            await asyncio.sleep(self._node.pause)
        return response

    def _count(
        self, response: web.Response, session: HlsSession | None, stream: Stream
    ) -> web.Response:
        size = len(response.body) if isinstance(response.body, bytes) else 0
        stream.outbound += size
        if session is not None:
            session.outbound += size
        return response

    def _no_stream(self, path: str) -> web.Response:
        if self._node.version.hls_sessions:
            return _error(404, f"no stream is available on path '{path}'")
        return self._not_found()

    def _not_configured(self, path: str) -> web.Response:
        if self._node.version.hls_sessions:
            return _error(500, f"path '{path}' is not configured")
        return self._not_found()

    def _not_found(self) -> web.Response:
        headers = {"Content-Type": "text/plain"}
        return web.Response(status=404, body=b"404 page not found", headers=headers)

    def _answer(self, response: web.Response) -> web.Response:
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Server"] = "mediamtx-sandbox"
        return response


async def _content(stream: Stream, name: str, query: str) -> web.Response:
    if name.endswith(".m3u8"):
        text = await stream.muxer.playlist(name)
        return _error(404, "not found") if text is None else _playlist(text, query)
    file = stream.muxer.file(name)
    body = None if file is None else await asyncio.to_thread(_read, file)
    if body is None:
        return _error(404, "not found")
    return web.Response(body=body, content_type="video/mp4")


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None


def _playlist(text: str, query: str) -> web.Response:
    """The query goes on to every child, so that a token, or a session, does."""
    if query:
        lines = [_line(line, query) for line in text.splitlines()]
        text = "\n".join(lines) + "\n"
    return web.Response(
        body=text.encode(), headers={"Content-Type": PLAYLIST, **_NOT_CACHED}
    )


_NOT_CACHED = {"Cache-Control": "private, no-cache"}


def _line(line: str, query: str) -> str:
    if line.startswith("#"):
        return URI.sub(lambda found: f'URI="{found[1]}?{query}"', line)
    return f"{line}?{query}" if line else line


def _is_first(request: web.Request, name: str) -> bool:
    return name == MASTER and "cookieCheck" not in request.query


def _check_cookies(request: web.Request) -> web.Response:
    query = urlencode([("cookieCheck", "1"), *sorted(request.query.items())])
    location = f"{request.path}?{query}"
    return web.Response(
        status=302, headers={"Location": location, "Set-Cookie": COOKIE}
    )


def _query(request: web.Request) -> str:
    """Encoded again and sorted, without what is the session scheme's own."""
    pairs = parse_qsl(request.query_string, keep_blank_values=True)
    own = ("cookieCheck", "session")
    return urlencode(sorted(pair for pair in pairs if pair[0] not in own))


def _with_session(session: HlsSession) -> str:
    pairs = [*parse_qsl(session.query, keep_blank_values=True)]
    return urlencode(sorted([*pairs, ("session", session.secret)]))


def _remote(request: web.Request) -> str:
    peer = request.transport and request.transport.get_extra_info("peername")
    return f"{peer[0]}:{peer[1]}" if peer else ":0"


def _error(status: int, text: str) -> web.Response:
    body = {"status": "error", "error": text}
    return web.json_response(body, status=status, dumps=compact_json)


def _preflight() -> web.Response:
    headers = {
        "Access-Control-Allow-Methods": "OPTIONS, GET",
        "Access-Control-Allow-Headers": "Authorization, Range",
    }
    return web.Response(status=204, headers=headers)
