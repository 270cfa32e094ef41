"""A node with publishers, and a round at it."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from control_plane.live.service.reconciler import Reconciler
from control_plane.wiring.services import Services

Json = dict[str, Any]


@dataclass
class FakeNode:
    """Lists publishers by their ids, until they are kicked."""

    url: str = ""
    publishers: dict[str, Json] = field(default_factory=dict)

    def add(self, source_id: str, path: str, query: str) -> None:
        self.publishers[source_id] = {"path": path, "query": query}

    async def paths(self, _request: web.Request) -> web.Response:
        return _page(
            {
                "name": one["path"],
                "ready": True,
                "source": {"type": "rtmpConn", "id": source_id},
                "readers": [],
            }
            for source_id, one in self.publishers.items()
        )

    async def connections(self, _request: web.Request) -> web.Response:
        return _page(
            {"id": source_id, "state": "publish", **one}
            for source_id, one in self.publishers.items()
        )

    async def kick(self, request: web.Request) -> web.Response:
        self.publishers.pop(request.match_info["id"])
        return web.json_response({"status": "ok"})


def _page(items: Any) -> web.Response:
    found = list(items)
    return web.json_response({"itemCount": len(found), "pageCount": 1, "items": found})


@contextlib.asynccontextmanager
async def publishing(opened: Services) -> AsyncIterator[FakeNode]:
    """It is ``local``."""
    fake = FakeNode()
    app = web.Application()
    app.router.add_get("/v3/paths/list", fake.paths)
    app.router.add_get("/v3/rtmpconns/list", fake.connections)
    app.router.add_post("/v3/rtmpconns/kick/{id}", fake.kick)
    async with TestServer(app) as server:
        known = await opened.nodes.get("local")
        url = str(server.make_url("")).rstrip("/")
        await opened.nodes.save(replace(known, api_url=url))
        yield fake


async def one_round(opened: Services) -> None:
    """At ``local``."""
    reconciler = Reconciler(
        opened.reserved,
        opened.nodes,
        opened.lifecycle,
        opened.counting,
        opened.measuring,
        peppers=opened.secrets.key_peppers(),
    )
    await reconciler.round(await opened.nodes.get("local"))
