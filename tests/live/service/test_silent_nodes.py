"""Cutting viewers on a node that says nothing when it is asked."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from control_plane.live.model.bans import Banned
from control_plane.wiring.services import Services

ADDRESS = "192.0.2.7"


@dataclass
class SilentNode:
    """Answers 503 so many times; then it lists one viewer."""

    silent: int = 0
    kicked: list[str] = field(default_factory=list)

    async def list(self, request: web.Request) -> web.Response:
        if self.silent:
            self.silent -= 1
            return web.Response(status=503)
        viewer = {
            "id": "one",
            "path": "live/1",
            "query": "",
            "remoteAddr": f"{ADDRESS}:1",
        }
        there = request.match_info["name"] == "hlssessions" and not self.kicked
        items = [viewer | {"outboundBytes": 1}] if there else []
        return web.json_response({"pageCount": 1, "items": items})

    async def kick(self, request: web.Request) -> web.Response:
        self.kicked.append(request.match_info["id"])
        return web.json_response({"status": "ok"})


@pytest.fixture
async def node(opened: Services) -> AsyncIterator[SilentNode]:
    fake = SilentNode()
    app = web.Application()
    app.router.add_get("/v3/{name}/list", fake.list)
    app.router.add_post("/v3/{name}/kick/{id}", fake.kick)
    async with TestServer(app) as server:
        known = await opened.nodes.get("local")
        url = str(server.make_url("")).rstrip("/")
        await opened.nodes.save(replace(known, api_url=url))
        yield fake


async def test_it_is_asked_again_for_a_while(
    opened: Services, node: SilentNode
) -> None:
    node.silent = 5
    await opened.cutter.cut_viewers("local", lambda _: True)
    assert node.kicked == ["one"]


async def test_a_ban_is_brought_to_it_later(opened: Services, node: SilentNode) -> None:
    node.silent = 1000
    await opened.moderation.ban(Banned(network=ADDRESS), "spam")
    assert node.kicked == []
    node.silent = 0
    await opened.moderation.turn()
    assert node.kicked == ["one"]
