"""The parts of the control API that the control plane uses."""

import asyncio
import math
from collections.abc import Awaitable, Callable

from aiohttp import web

from mediamtx.sandbox.paths import HlsSession, Node, Publisher, Stream

Item = dict[str, object]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Api:
    def __init__(self, node: Node) -> None:
        self._node = node

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._guard])
        app.on_response_prepare.append(self._allow_origin)
        routes = [
            web.get("/v3/info", self._info),
            web.get("/v3/paths/list", self._paths),
            web.get("/v3/paths/get/{name:.+}", self._path),
            web.get("/v3/rtmpconns/list", self._connections),
            web.post("/v3/rtmpconns/kick/{id}", self._kick_connection),
        ]
        if self._node.version.hls_sessions:
            routes += [
                web.get("/v3/hlssessions/list", self._sessions),
                web.post("/v3/hlssessions/kick/{id}", self._kick_session),
            ]
        app.add_routes(routes)
        return app

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        if "api" in self._node.config.auth_excluded:
            return await handler(request)
        authorization = request.headers.get("Authorization")
        allowed = await self._node.auth.allows(
            "api",
            "",
            "",
            ip=request.remote or "",
            query=request.query_string,
            id_=None,
            credentials=self._node.auth.http_credentials(authorization),
        )
        if allowed:
            return await handler(request)
        refusal = _error(401, "authentication error")
        if authorization is None:
            refusal.headers["WWW-Authenticate"] = 'Basic realm="mediamtx"'
        else:
            await asyncio.sleep(self._node.pause)
        return refusal

    async def _allow_origin(
        self, request: web.Request, response: web.StreamResponse
    ) -> None:
        origins = self._node.config.api_origins
        origin = request.headers.get("Origin", "")
        if origin in origins or "*" in origins:
            allowed = origin if origin in origins else "*"
            response.headers["Access-Control-Allow-Origin"] = allowed

    async def _info(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {"version": self._node.version.name, "started": self._node.started}
        )

    async def _paths(self, request: web.Request) -> web.Response:
        async with self._node.auth.lock:  # MediaMTX waits for a pending auth call
            items = [
                self._path_item(name, stream)
                for name, stream in sorted(self._node.streams.items())
            ]
        return _page(request, items)

    async def _path(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        async with self._node.auth.lock:
            stream = self._node.streams.get(name)
        if stream is None:
            return _error(404, "path not found")
        return web.json_response(self._path_item(name, stream))

    async def _connections(self, request: web.Request) -> web.Response:
        found = self._node.connections.values()
        items = [_connection_item(one) for one in found]
        if not self._node.version.user_agents:
            for item in items:
                del item["userAgent"]
        return _page(request, items)

    async def _sessions(self, request: web.Request) -> web.Response:
        found = self._node.sessions.values()
        return _page(request, [_session_item(one) for one in found])

    async def _kick_connection(self, request: web.Request) -> web.Response:
        found = self._node.connections.get(request.match_info["id"])
        if found is None:
            return _error(404, "connection not found")
        found.close.set()
        return web.json_response({"status": "ok"})

    async def _kick_session(self, request: web.Request) -> web.Response:
        wanted = request.match_info["id"]
        for session in list(self._node.sessions.values()):
            if session.id == wanted:
                del self._node.sessions[session.secret]
                return web.json_response({"status": "ok"})
        return _error(404, "session not found")

    def _path_item(self, name: str, stream: Stream) -> Item:
        inbound = stream.publisher.inbound
        return {
            "name": name,
            "confName": self._node.config.path_name,
            "ready": True,
            "readyTime": stream.since,
            "available": True,
            "availableTime": stream.since,
            "online": True,
            "onlineTime": stream.since,
            "source": {"type": "rtmpConn", "id": stream.publisher.id},
            "tracks": stream.muxer.tracks,
            "tracks2": [],
            "readers": self._readers(name),
            "inboundBytes": inbound,
            "outboundBytes": stream.outbound,
            "inboundFramesInError": 0,
            "bytesReceived": inbound,
            "bytesSent": stream.outbound,
        }

    def _readers(self, path: str) -> list[dict[str, str]]:
        if not self._node.version.hls_sessions:
            return [{"type": "hlsMuxer", "id": ""}]
        return [
            {"type": "hlsSession", "id": session.id}
            for session in self._node.sessions.values()
            if session.path == path
        ]


def _connection_item(one: Publisher) -> Item:
    """Until its tracks are known a connection is idle and names no path."""
    return {
        "id": one.id,
        "created": one.created,
        "remoteAddr": one.remote,
        "state": "publish" if one.ready else "idle",
        "path": one.path if one.ready else "",
        "query": one.query if one.ready else "",
        "user": "",
        "userAgent": one.agent,
        "inboundBytes": one.inbound,
        "outboundBytes": 0,
        "outboundFramesDiscarded": 0,
        "bytesReceived": one.inbound,
        "bytesSent": 0,
    }


def _session_item(one: HlsSession) -> Item:
    return {
        "id": one.id,
        "created": one.created,
        "remoteAddr": one.remote,
        "path": one.path,
        "query": one.query,
        "user": "",
        "userAgent": one.agent,
        "isCDN": False,
        "outboundBytes": one.outbound,
    }


def _page(request: web.Request, items: list[Item]) -> web.Response:
    try:
        size = int(request.query.get("itemsPerPage", "100"))
        page = int(request.query.get("page", "0"))
    except ValueError:
        return _error(400, "invalid page")
    if size <= 0 or page < 0:
        return _error(400, "invalid page")
    return web.json_response(
        {
            "itemCount": len(items),
            "pageCount": math.ceil(len(items) / size),
            "items": items[page * size : (page + 1) * size],
        }
    )


def _error(status: int, text: str) -> web.Response:
    return web.json_response({"status": "error", "error": text}, status=status)
