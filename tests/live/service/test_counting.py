"""Who watches, as three processes know it that share Redis alone: one gives hints,
one looks at nodes, one is asked."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from control_plane.base.database import Pool
from control_plane.base.faults import Away
from control_plane.base.redis import Redis
from control_plane.base.tokens import ViewerToken, sign_viewer
from control_plane.config.settings import Settings
from control_plane.live.model import viewers
from control_plane.live.model.edges import BEAT, path_at_edge
from control_plane.live.model.nodes import Role
from control_plane.live.model.sessions import LiveSession
from control_plane.live.model.starts import Start
from control_plane.live.model.viewers import PREVIEWER, WINDOW, viewer_of_address
from control_plane.live.service import counting
from control_plane.live.service.lifecycle import Source
from control_plane.live.service.reconciler import Reconciler
from control_plane.live.store.beats import Beats
from control_plane.live.store.viewers import ViewerSets
from control_plane.people.model.users import User
from control_plane.wiring.services import Services, services
from tests.support.api import settings
from tests.support.closed import closed
from tests.support.nodes import NEWEST
from tests.support.stack import until
from tests.support.valkeys import alone

Json = dict[str, Any]


@dataclass
class FakeNode:
    """Lists one publisher of each path, and HLS viewers whose bytes move from look to
    look, but for those that stand still."""

    api_url: str = ""
    paths: list[str] = field(default_factory=list)
    viewers: dict[str, str] = field(default_factory=dict)  # id to path
    still: set[str] = field(default_factory=set)
    queries: dict[str, str] = field(default_factory=dict)  # by viewer
    looks: int = 0
    before_viewers: Callable[[], Awaitable[None]] | None = None

    async def answer(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name == "paths":
            self.looks += 1
            return _page([_path(path) for path in self.paths])
        if name != "hlssessions":
            return _page([])
        if self.before_viewers is not None:
            await self.before_viewers()
        return _page([self._viewer(one, path) for one, path in self.viewers.items()])

    def _viewer(self, viewer: str, path: str) -> Json:
        sent = 1000 if viewer in self.still else 1000 * self.looks
        remote = f"{viewer}:1"
        return {
            "id": viewer,
            "path": path,
            "query": self.queries.get(viewer, ""),
            "outboundBytes": sent,
            "remoteAddr": remote,
        }


def _path(name: str) -> Json:
    source = {"type": "rtmpConn", "id": f"source of {name}"}
    return {"name": name, "ready": True, "source": source}


def _page(items: list[Json]) -> web.Response:
    return web.json_response({"pageCount": 1, "items": items})


@contextlib.asynccontextmanager
async def listing(opened: Services, name: str, role: Role) -> AsyncIterator[FakeNode]:
    fake = FakeNode()
    app = web.Application()
    app.router.add_get("/v3/{name}/list", fake.answer)
    async with TestServer(app) as server:
        fake.api_url = str(server.make_url("")).rstrip("/")
        known = await opened.nodes.get("local")
        saved = replace(known, name=name, role=role, api_url=fake.api_url)
        await opened.nodes.save(saved)
        yield fake


@pytest.fixture
async def node(opened: Services) -> AsyncIterator[FakeNode]:
    async with listing(opened, "local", "origin") as fake:
        yield fake


@pytest.fixture
def wanted(database_url: str, redis_url: str) -> Settings:
    return settings(database_url, redis_url)


@contextlib.asynccontextmanager
async def another(wanted: Settings) -> AsyncIterator[Services]:
    """What another process has opened."""
    async with services(wanted) as found:
        yield found


@pytest.fixture
async def session(opened: Services, node: FakeNode, ann: User) -> LiveSession:
    started = (await opened.broadcasts.start(ann, Start())).session
    node.paths.append(started.path)
    source = Source("local", started.path, "rtmpConn", f"source of {started.path}")
    await opened.lifecycle.ready(source, listed_at=NEWEST)
    return await opened.broadcasts.get(started.id)


def reconciling(at: Services) -> Reconciler:
    return Reconciler(
        at.reserved,
        at.nodes,
        at.lifecycle,
        at.counting,
        at.measuring,
        peppers=at.secrets.key_peppers(),
    )


async def looked(at: Services, times: int = 1) -> None:
    reconciler = reconciling(at)
    for _ in range(times):
        await reconciler.round(await at.nodes.get("local"))


async def counted(by: Services, session: LiveSession) -> int:
    return (await by.counts.of([session])).get(session.id, 0)


async def test_viewers_of_a_node_come_and_go(
    opened: Services, wanted: Settings, node: FakeNode, session: LiveSession
) -> None:
    async with another(wanted) as asked:
        await looked(opened)
        assert await counted(asked, session) == 0
        node.viewers = {"10.0.0.1": session.path, "10.0.0.2": session.path}
        await looked(opened, 2)
        assert await counted(asked, session) == 2
        del node.viewers["10.0.0.1"]
        await looked(opened)
        assert await counted(asked, session) == 1
        assert (await opened.broadcasts.get(session.id)).peak_viewers == 2


async def test_who_takes_pictures_is_no_viewer(
    opened: Services, node: FakeNode, session: LiveSession
) -> None:
    token = ViewerToken(PREVIEWER, session.path, 0, int(time.time()) + 60)
    text = sign_viewer(opened.secrets.viewer_tokens(), token)
    await looked(opened)
    node.viewers = {"10.0.0.1": session.path, "10.0.0.2": session.path}
    node.queries = {"10.0.0.1": f"token={text}"}
    for _ in range(2):
        await looked(opened)
        assert await counted(opened, session) == 1
    del node.viewers["10.0.0.2"]
    await looked(opened, 2)
    assert await counted(opened, session) == 0
    assert (await opened.broadcasts.get(session.id)).peak_viewers == 1


async def test_a_hint_bridges_to_the_next_look_and_no_longer(
    opened: Services, wanted: Settings, node: FakeNode, session: LiveSession
) -> None:
    async with another(wanted) as gate, another(wanted) as asked:
        await looked(opened)
        async with gate.hints.running():
            gate.hints.note(session.id, "local", "somebody", listed=True)
            await until(lambda: _is(asked, session, 1))
            await looked(opened)
            assert await counted(asked, session) == 0


async def test_a_hint_that_is_written_late_counts_for_nothing(
    opened: Services, wanted: Settings, node: FakeNode, session: LiveSession
) -> None:
    """The look that began after it has told about its viewer already."""
    async with another(wanted) as gate, another(wanted) as asked:
        await looked(opened)
        gate.hints.note(session.id, "local", "somebody", listed=True)
        await looked(opened)
        await _written(gate)
        assert await counted(asked, session) == 0


async def test_a_hint_given_during_a_look_outlives_it(
    opened: Services, wanted: Settings, node: FakeNode, session: LiveSession
) -> None:
    async with another(wanted) as gate, another(wanted) as asked:

        async def let_in() -> None:
            gate.hints.note(session.id, "local", "somebody", listed=True)
            await _written(gate)

        await looked(opened)
        node.before_viewers = let_in
        await looked(opened)
        assert await counted(asked, session) == 1


async def test_who_is_hinted_and_listed_counts_once(
    opened: Services, wanted: Settings, node: FakeNode, session: LiveSession
) -> None:
    async with another(wanted) as gate, another(wanted) as asked:
        await looked(opened)
        node.viewers = {"10.0.0.1": session.path}
        await looked(opened)
        again = viewer_of_address("10.0.0.1")
        gate.hints.note(session.id, "local", again, listed=True)
        await _written(gate)
        assert await counted(asked, session) == 1


async def test_who_goes_on_from_the_node_to_an_edge_is_one_in_peaks_too(
    opened: Services, node: FakeNode, session: LiveSession
) -> None:
    await looked(opened)
    node.viewers = {"10.0.0.1": session.path, "10.0.0.2": session.path}
    token = ViewerToken("moves on", session.path, 0, int(time.time()) + 60)
    text = sign_viewer(opened.secrets.viewer_tokens(), token)
    node.queries = {"10.0.0.1": f"token={text}"}
    await looked(opened, 2)
    now, place = time.time(), (session.id, "local")
    left = {"moves on": now + BEAT, "at an edge": now + BEAT}
    await Beats(opened.redis).beat({place: left}, now)
    await looked(opened)
    assert (await opened.broadcasts.get(session.id)).peak_viewers == 3


@pytest.mark.parametrize("took", [0.0, 9.0])
async def test_who_was_found_counts_until_another_look_can_have_ended(
    opened: Services,
    node: FakeNode,
    session: LiveSession,
    took: float,
) -> None:
    """The longer looks take, the longer: else all viewers of a large node would be
    nobody again and again."""
    await looked(opened)
    node.viewers = {"10.0.0.1": session.path}
    api = opened.nodes.api(await opened.nodes.get("local"))
    tally = opened.counting.look("local")
    tally.begun_at -= took
    await api.look(tally.take)
    before = time.time()
    await opened.counting.count(tally, [session], lists_hls=True)
    sets, places = ViewerSets(opened.redis), [(session.id, "local")]
    still = before + WINDOW + 2 * took - 1
    assert await sets.count(places, still, WINDOW) == [1]
    later = time.time() + WINDOW + 2 * tally.took + 1
    assert await sets.count(places, later, WINDOW) == [0]


async def test_who_stands_still_is_gone_at_another_look_too(
    opened: Services, wanted: Settings, node: FakeNode, session: LiveSession
) -> None:
    """Somebody else takes the node over: it keeps those who were counted until they
    had time to move, and no longer."""
    node.viewers = {"10.0.0.1": session.path, "10.0.0.2": session.path}
    async with another(wanted) as before, another(wanted) as asked:
        await looked(before)
        assert await counted(asked, session) == 0
        await looked(before)
        assert await counted(asked, session) == 2
        node.still = {"10.0.0.2"}
        await looked(opened)
        assert await counted(asked, session) == 2
        for _ in range(6):  # longer than a viewer counts who does not move
            await asyncio.sleep(2)
            await looked(opened)
        assert await counted(asked, session) == 1


async def test_what_redis_forgot_is_written_again(
    opened: Services, node: FakeNode, session: LiveSession
) -> None:
    await looked(opened)
    node.viewers = {"10.0.0.1": session.path}
    await looked(opened, 2)
    await opened.redis.flushdb()
    assert await counted(opened, session) == 0
    await looked(opened)
    assert await counted(opened, session) == 1


async def test_while_redis_is_away_hosts_lose_nothing(
    opened: Services,
    node: FakeNode,
    session: LiveSession,
    database_url: str,
    server_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(counting, "WINDOW", 600.0)  # however long all of this takes
    node.viewers = {"10.0.0.1": session.path}
    async with contextlib.AsyncExitStack() as running:
        url = await running.enter_async_context(alone(server_folder))
        async with another(settings(database_url, url)) as looking:
            beats, now = Beats(looking.redis), time.time()
            place = (session.id, "local")
            await beats.beat({place: {"at an edge": now + BEAT}}, now)
            await looked(looking, 2)
            await looking.attendance.flush()
            before = await opened.broadcasts.attended(session.id)
            await running.aclose()
            node.viewers["10.0.0.2"] = session.path
            await looked(looking, 2)
            with pytest.raises(Away):
                await looking.attendance.flush()
    assert (await opened.broadcasts.get(session.id)).peak_viewers == 3
    after = await opened.broadcasts.attended(session.id)
    assert after.viewer_seconds > before.viewer_seconds


async def test_while_postgres_is_away_viewers_at_edges_go_on_to_count(
    opened: Services,
    session: LiveSession,
    owner: Pool,
    database_url: str,
) -> None:
    reconciler, beats = reconciling(opened), Beats(opened.redis)
    async with listing(opened, "e", "edge") as fake:
        edge = await opened.nodes.get("e")
        fake.viewers = {
            "10.0.0.1": path_at_edge("local", session.path),
            "10.0.0.2": path_at_edge("local", session.path),
        }
        for _ in range(2):
            await reconciler.round(edge)
        async with closed(owner, database_url):
            await opened.redis.flushdb()  # they would count for 5 seconds
            now = time.time()
            await reconciler.count_only(edge)
            found = await beats.count("local", [session.id], now)
            assert found == {session.id: 2}
            fake.viewers = {}
            await reconciler.count_only(edge)


async def test_a_clock_that_is_set_back_keeps_nobody_and_takes_nothing(
    opened: Services,
    node: FakeNode,
    session: LiveSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(viewers, "WINDOW", 0.5)
    node.viewers = {"10.0.0.1": session.path, "10.0.0.2": session.path}
    await looked(opened, 2)
    await opened.attendance.flush()
    before = await opened.broadcasts.attended(session.id)
    clock = time.time
    monkeypatch.setattr(time, "time", lambda: clock() - 7200)

    async def one_is_left() -> bool:
        await looked(opened)
        return await counted(opened, session) == 1

    await looked(opened)
    await opened.attendance.flush()
    after = await opened.broadcasts.attended(session.id)
    assert after.viewer_seconds >= before.viewer_seconds
    del node.viewers["10.0.0.2"]
    await until(one_is_left)


async def test_what_somebody_else_wrote_is_written_over(
    opened: Services, wanted: Settings, node: FakeNode, session: LiveSession
) -> None:
    await looked(opened)
    node.viewers = {"10.0.0.1": session.path}
    await looked(opened, 2)
    async with another(wanted) as other:
        await looked(other)
        await looked(opened)
        node.viewers = {}
        await looked(other)
        await looked(opened)
    assert await counted(opened, session) == 0


async def test_nothing_is_left_of_a_session_that_is_over(
    opened: Services, node: FakeNode, session: LiveSession
) -> None:
    await looked(opened)
    node.viewers = {"10.0.0.1": session.path}
    await looked(opened, 2)
    assert await _keys(opened.redis, session)
    await opened.lifecycle.end(session, "completed")
    await looked(opened)
    assert await counted(opened, await opened.broadcasts.get(session.id)) == 0
    assert not await _keys(opened.redis, session)


async def test_a_viewer_takes_little_of_redis(
    opened: Services, node: FakeNode, session: LiveSession
) -> None:
    await looked(opened)
    node.viewers = {f"10.{n >> 8}.{n & 255}.1": session.path for n in range(20_000)}
    await looked(opened, 2)
    assert await counted(opened, session) == 20_000
    used = 0
    for key in await opened.redis.keys("*"):
        used += await opened.redis.memory_usage(key) or 0
    assert used / 20_000 <= 200


async def _keys(redis: Redis, session: LiveSession) -> list[str]:
    return [str(key) for key in await redis.keys(f"viewers:*:{session.id}")]


async def _is(asked: Services, session: LiveSession, count: int) -> bool:
    return await counted(asked, session) == count


async def _written(gate: Services) -> None:
    seen = await gate.redis.dbsize()
    async with gate.hints.running():

        async def more() -> bool:
            return bool(await gate.redis.dbsize() > seen)

        await until(more, pause=0.02)
