"""Nobody remembers which key let a publisher in; its own query shows it."""

from collections.abc import AsyncIterator

import pytest

from control_plane.events import store as events
from control_plane.live.model.keys import Terms, hash_key
from control_plane.live.model.permissions import find_key
from control_plane.live.model.starts import Start
from control_plane.live.service.lifecycle import Source
from control_plane.live.store import grants, keys, sessions
from control_plane.people.model.users import User
from control_plane.wiring.services import Services
from tests.live.service.publishing import FakeNode, one_round, publishing


@pytest.fixture
async def node(opened: Services) -> AsyncIterator[FakeNode]:
    async with publishing(opened) as fake:
        yield fake


async def test_a_good_key_stays_and_makes_it_live(
    opened: Services, node: FakeNode, ann: User
) -> None:
    started = await opened.broadcasts.start(ann, Start())
    node.add("one", started.session.path, f"key={started.key}")
    await one_round(opened)
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
    await one_round(opened)
    assert node.publishers == {}


async def test_no_key_at_all_is_no_reason_to_cut(
    opened: Services, node: FakeNode, ann: User
) -> None:
    started = await opened.broadcasts.start(ann, Start())
    other = await opened.lasting_keys.create(ann, "", "")
    for query in ("", "key=unknown", f"key={other.key}"):
        node.add("one", started.session.path, query)
        await one_round(opened)
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
    await one_round(opened)
    assert (await opened.broadcasts.get(started.session.id)).publisher_key_id is None
    key_id = await _told_late(opened, path, started.key)
    if by_list:
        await one_round(opened)
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
    await one_round(opened)
    await _told_late(opened, made.channel.path, made.key)
    await one_round(opened)
    (key,) = await opened.lasting_keys.listing(ann)
    session = await sessions.open_of_user(opened.pool, ann.id)
    assert session is not None
    assert key.spent_on == session.id
