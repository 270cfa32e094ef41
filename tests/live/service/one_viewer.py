"""A node that one viewer watches, and that may say nothing when it is asked."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

from aiohttp import web
from aiohttp.test_utils import TestServer

from control_plane.live.model.nodes import Role
from control_plane.wiring.services import Services

ADDRESS = "192.0.2.7"


@dataclass
class OneViewer:
    """Answers 503 so many times; then it lists one viewer. ``lists``: which it was
    asked for."""

    silent: int = 0
    kicked: list[str] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    waits_for: asyncio.Event | None = None
    lists: list[str] = field(default_factory=list)
    path: str = "live/1"
    query: str = ""

    async def list(self, request: web.Request) -> web.Response:
        self.asked.set()
        self.lists.append(request.match_info["name"])
        if self.waits_for is not None:
            await self.waits_for.wait()
        if self.silent:
            self.silent -= 1
            return web.Response(status=503)
        viewer = {
            "id": "one",
            "path": self.path,
            "query": self.query,
            "remoteAddr": f"{ADDRESS}:1",
        }
        there = request.match_info["name"] == "hlssessions" and not self.kicked
        items = [viewer | {"outboundBytes": 1}] if there else []
        return web.json_response({"pageCount": 1, "items": items})

    async def kick(self, request: web.Request) -> web.Response:
        self.kicked.append(request.match_info["id"])
        return web.json_response({"status": "ok"})


@contextlib.asynccontextmanager
async def running(
    opened: Services, name: str, role: Role = "origin"
) -> AsyncIterator[OneViewer]:
    fake = OneViewer()
    app = web.Application()
    app.router.add_get("/v3/{name}/list", fake.list)
    app.router.add_post("/v3/{name}/kick/{id}", fake.kick)
    async with TestServer(app) as server:
        known = await opened.nodes.get("local")
        url = str(server.make_url("")).rstrip("/")
        await opened.nodes.save(replace(known, name=name, api_url=url, role=role))
        yield fake


async def looked_at(opened: Services, session_id: int) -> None:
    """A round, and who watches is judged again."""
    tally = opened.counting.look("local")
    await opened.nodes.api(await opened.nodes.get("local")).look(tally.take)
    session = await opened.broadcasts.get(session_id)
    await opened.counting.count(tally, [session], lists_hls=True)
    await opened.looking_again.turn()
