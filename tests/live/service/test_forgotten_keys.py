"""Nobody remembers which key let a publisher in; its own query shows it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from control_plane.events import store as events
from control_plane.live.model.keys import Terms, hash_key
from control_plane.live.model.permissions import find_key
from control_plane.live.model.starts import Start
from control_plane.live.service.lifecycle import Source
from control_plane.live.service.reconciler import Reconciler
from control_plane.live.store import grants, keys, sessions
from control_plane.people.model.users import User
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


@pytest.fixture
async def node(opened: Services) -> AsyncIterator[FakeNode]:
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


async def _round(opened: Services) -> None:
    reconciler = Reconciler(
        opened.reserved,
        opened.nodes,
        opened.lifecycle,
        opened.counting,
        opened.measuring,
        peppers=opened.secrets.key_peppers(),
    )
    await reconciler.round(await opened.nodes.get("local"))


async def test_a_good_key_stays_and_makes_it_live(
    opened: Services, node: FakeNode, ann: User
) -> None:
    started = await opened.broadcasts.start(ann, Start())
    node.add("one", started.session.path, f"key={started.key}")
    await _round(opened)
    session = await opened.broadcasts.get(started.session.id)
    assert (session.status, session.publisher_id) == ("live", "one")
    assert session.publisher_key_id is not None
    assert list(node.publishers) == ["one"]


async def test_a_revoked_key_is_cut(
    opened: Services, node: FakeNode, ann: User
) -> None:
    made = await opened.lasting_keys.create(ann, "", "")
    await opened.lasting_keys.revoke(ann, made.id)
    node.add("one", made.channel.path, f"key={made.key}")
    await _round(opened)
    assert node.publishers == {}


async def test_no_key_at_all_is_no_reason_to_cut(
    opened: Services, node: FakeNode, ann: User
) -> None:
    started = await opened.broadcasts.start(ann, Start())
    other = await opened.lasting_keys.create(ann, "", "")
    for query in ("", "key=unknown", f"key={other.key}"):
        node.add("one", started.session.path, query)
        await _round(opened)
        assert list(node.publishers) == ["one"]


LATE = "SELECT id FROM stream_keys WHERE hash = $1"


async def _told_late(opened: Services, path: str, key: str) -> int:
    """The permission of the publisher is written when it is there already."""
    digest = hash_key(opened.secrets.key_peppers(), key)
    key_id = int(await opened.pool.fetchval(LATE, digest))
    await grants.add(opened.pool, "local", "one", path, key_id)
    return key_id


@pytest.mark.parametrize("by_list", [True, False])
async def test_a_key_that_is_known_late_has_published_all_the_same(
    opened: Services, node: FakeNode, ann: User, by_list: bool
) -> None:
    """Postgres was away for a moment when the encoder came."""
    older = await opened.broadcasts.start(ann, Start())
    started = await opened.broadcasts.start(ann, Start())
    path = started.session.path
    node.add("one", path, "")
    await _round(opened)
    assert (await opened.broadcasts.get(started.session.id)).publisher_key_id is None
    key_id = await _told_late(opened, path, started.key)
    if by_list:
        await _round(opened)
    else:
        await opened.lifecycle.ready(Source("local", path, "rtmpConn", "one"))
    session = await opened.broadcasts.get(started.session.id)
    assert (session.status, session.publisher_key_id) == ("live", key_id)
    permission = (await keys.permissions(opened.pool, [path]))[path]
    peppers = opened.secrets.key_peppers()
    key = find_key(permission, [hash_key(peppers, started.key)])
    assert key is not None
    assert key.published
    assert find_key(permission, [hash_key(peppers, older.key)]) is None
    log = await events.of_subject(opened.pool, "user", ann.id, 0)
    assert "key.superseded" in [one.type for one in log]


async def test_a_key_for_one_broadcast_that_is_known_late_is_spent(
    opened: Services, node: FakeNode, ann: User
) -> None:
    made = await opened.lasting_keys.create(ann, "", "", Terms(one_shot=True))
    node.add("one", made.channel.path, "")
    await _round(opened)
    await _told_late(opened, made.channel.path, made.key)
    await _round(opened)
    (key,) = await opened.lasting_keys.listing(ann)
    session = await sessions.open_of_user(opened.pool, ann.id)
    assert session is not None
    assert key.spent_on == session.id
