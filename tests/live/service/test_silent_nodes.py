"""Cutting viewers on nodes that say nothing when they are asked, or are slow."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from control_plane.base.database import Pool
from control_plane.live.model.bans import Banned
from control_plane.live.model.nodes import Role
from control_plane.live.model.rights import WatchTerms
from control_plane.live.service.rights import Whom
from control_plane.live.store import nodes
from control_plane.people.model.users import User
from control_plane.wiring.services import Services
from tests.support.money import new_session

ADDRESS = "192.0.2.7"
AT_ONCE = timedelta(0)


@dataclass
class SilentNode:
    """Answers 503 so many times; then it lists one viewer."""

    silent: int = 0
    kicked: list[str] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    waits_for: asyncio.Event | None = None
    path: str = "live/1"

    async def list(self, request: web.Request) -> web.Response:
        self.asked.set()
        if self.waits_for is not None:
            await self.waits_for.wait()
        if self.silent:
            self.silent -= 1
            return web.Response(status=503)
        viewer = {
            "id": "one",
            "path": self.path,
            "query": "",
            "remoteAddr": f"{ADDRESS}:1",
        }
        there = request.match_info["name"] == "hlssessions" and not self.kicked
        items = [viewer | {"outboundBytes": 1}] if there else []
        return web.json_response({"pageCount": 1, "items": items})

    async def kick(self, request: web.Request) -> web.Response:
        self.kicked.append(request.match_info["id"])
        return web.json_response({"status": "ok"})


@contextlib.asynccontextmanager
async def _running(
    opened: Services, name: str, role: Role = "origin"
) -> AsyncIterator[SilentNode]:
    fake = SilentNode()
    app = web.Application()
    app.router.add_get("/v3/{name}/list", fake.list)
    app.router.add_post("/v3/{name}/kick/{id}", fake.kick)
    async with TestServer(app) as server:
        known = await opened.nodes.get("local")
        url = str(server.make_url("")).rstrip("/")
        await opened.nodes.save(replace(known, name=name, api_url=url, role=role))
        yield fake


@pytest.fixture
async def node(opened: Services) -> AsyncIterator[SilentNode]:
    async with _running(opened, "local") as fake:
        yield fake


@pytest.fixture
async def session_id(pool: Pool, ann: User, node: SilentNode) -> int:
    """Live on it; somebody watches it without a token."""
    session_id = await new_session(pool, ann.id)
    await pool.execute("UPDATE live_streaming_sessions SET node = 'local'")
    node.path = f"live/of-{ann.id}"
    return session_id


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
    await opened.owed_cuts.turn(AT_ONCE)
    assert node.kicked == ["one"]


async def test_so_is_a_right_that_ended(
    opened: Services, node: SilentNode, session_id: int
) -> None:
    node.silent = 1000
    await opened.rights.set_policy(0, session_id, WatchTerms("token"))
    await opened.owed_cuts.turn(AT_ONCE)
    assert node.kicked == []
    node.silent = 0
    await opened.owed_cuts.turn(AT_ONCE)
    assert node.kicked == ["one"]


async def test_so_is_a_ban_of_before_it_was_found_again(
    opened: Services, node: SilentNode, pool: Pool
) -> None:
    await pool.execute("UPDATE nodes SET lost = true, silent_since = now()")
    await opened.moderation.ban(Banned(network=ADDRESS), "spam")
    await opened.owed_cuts.turn(AT_ONCE)
    assert node.kicked == []
    await pool.execute("UPDATE nodes SET lost = false, silent_since = NULL")
    await opened.owed_cuts.turn(AT_ONCE)
    assert node.kicked == ["one"]


async def test_a_lost_edge_holds_nobody_up_and_owes_it(
    opened: Services, node: SilentNode, session_id: int, pool: Pool
) -> None:
    async with _running(opened, "e1", "edge") as edge:
        edge.path = f"local/{node.path}"
        await pool.execute(
            "UPDATE nodes SET lost = true, silent_since = now() WHERE name = 'e1'"
        )
        await opened.rights.set_policy(0, session_id, WatchTerms("token"))
        assert not edge.asked.is_set()
        await pool.execute("UPDATE nodes SET lost = false, silent_since = NULL")
        await opened.owed_cuts.turn(AT_ONCE)
        assert edge.kicked == node.kicked == ["one"]


async def test_a_node_that_answered_owes_nothing(
    opened: Services, node: SilentNode, pool: Pool
) -> None:
    await opened.moderation.ban(Banned(network=ADDRESS), "spam")
    assert node.kicked == ["one"]
    assert await nodes.owed_cuts(pool, AT_ONCE) == {}


async def test_a_cut_takes_nothing_from_another_that_is_under_way(
    opened: Services, node: SilentNode, pool: Pool
) -> None:
    mark = await nodes.owe_cut(pool, "local")
    await opened.cutter.cut_viewers("local", lambda _: False)
    assert mark is not None
    await nodes.cut_done(pool, "local", mark)
    assert list(await nodes.owed_cuts(pool, AT_ONCE)) == ["local"]


async def test_nodes_are_cut_at_the_same_time(
    opened: Services, node: SilentNode
) -> None:
    async with _running(opened, "other") as other:
        node.waits_for, other.waits_for = other.asked, node.asked
        await opened.moderation.ban(Banned(network=ADDRESS), "spam")
    assert (node.kicked, other.kicked) == (["one"], ["one"])


async def test_whose_right_ends_waits_for_no_node(
    opened: Services, node: SilentNode, session_id: int
) -> None:
    node.waits_for = asyncio.Event()
    await opened.rights.end(session_id, Whom(viewer="somebody"), "too_many")
    assert not node.kicked
    node.waits_for.set()
    await opened.cutter.finish()
    assert node.asked.is_set()
