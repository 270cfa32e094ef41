"""Where broadcasts begin, and where they go on when their origin is lost or drains."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from control_plane.base.refusals import Refusal, Unavailable
from control_plane.events import store as events
from control_plane.live.model.keys import hash_key
from control_plane.live.model.starts import Start
from control_plane.live.service.broadcasts import Started
from control_plane.live.service.lifecycle import Source
from control_plane.live.store import grants, sessions
from control_plane.people.model.users import User
from control_plane.wiring.services import Services
from tests.live.service.conftest import new_user
from tests.support.nodes import NEWEST

AT_ONCE = timedelta(0)
LATER = timedelta(hours=1)


@pytest.fixture
async def two(opened: Services) -> Services:
    """``local`` is the first by name, and ``other``."""
    local = await opened.nodes.get("local")
    await opened.nodes.save(replace(local, name="other", region="far"))
    return opened


async def _live(services: Services, user: User, source_id: str) -> Started:
    started = await services.broadcasts.start(user, Start())
    outcome = await _publish(services, started, source_id)
    assert outcome in ("started", "replaced", "resumed")
    return started


async def _publish(services: Services, started: Started, source_id: str) -> str:
    """With the key of this start, where it said."""
    key = hash_key(services.secrets.key_peppers(), started.key)
    row = "SELECT id FROM stream_keys WHERE hash = $1"
    key_id = await services.pool.fetchval(row, key)
    source = Source(started.node.name, started.session.path, "rtmpConn", source_id)
    await grants.add(services.pool, source.node, source_id, source.path, key_id)
    return await services.lifecycle.ready(source)


def _at_local(started: Started, source_id: str) -> Source:
    return Source("local", started.session.path, "rtmpConn", source_id)


async def _watched_at(services: Services, started: Started) -> str:
    found = await services.watching.admit(started.session.name, None, "")
    return found.broadcast.node.name


async def test_it_begins_in_the_region_asked_for(two: Services, ann: User) -> None:
    started = await two.broadcasts.start(ann, Start(region="Far"))
    assert (started.node.name, started.session.node) == ("other", "other")


async def test_no_more_begin_than_there_is_room_for(opened: Services) -> None:
    local = await opened.nodes.get("local")
    await opened.nodes.save(replace(local, most_publishers=2))
    users = [await new_user(opened.pool, f"user{n}") for n in range(5)]
    started = await asyncio.gather(
        *(opened.broadcasts.start(user, Start()) for user in users),
        return_exceptions=True,
    )
    assert [type(one) for one in started].count(Started) == 2
    assert [type(one) for one in started].count(Unavailable) == 3


@pytest.mark.parametrize("status", ["created", "reconnecting"])
async def test_without_a_picture_it_is_elsewhere_at_once(
    two: Services, ann: User, status: str
) -> None:
    first = await two.broadcasts.start(ann, Start())
    if status == "reconnecting":
        await _publish(two, first, "a")
        await two.lifecycle.not_ready(_at_local(first, "a"))
    await two.nodes.unheard("local", LATER)
    again = await two.broadcasts.start(ann, Start())
    assert (again.session.id, again.session.status) == (first.session.id, status)
    assert (again.node.name, again.session.node) == ("other", "other")
    assert await _watched_at(two, again) == "other"
    log = await events.of_subject(two.pool, "session", first.session.id, 0)
    assert [one.data for one in log if one.type == "live.moved"] == [
        {"node": "other", "from_node": "local"}
    ]


async def test_with_a_picture_it_stays_until_the_next_one(
    two: Services, ann: User
) -> None:
    """A silent node says nothing: perhaps all goes well there."""
    first = await _live(two, ann, "a")
    await two.nodes.unheard("local", AT_ONCE)
    again = await two.broadcasts.start(ann, Start())
    assert (again.session.id, again.node.name) == (first.session.id, "other")
    assert await _watched_at(two, again) == "local"
    assert await _publish(two, again, "b") == "replaced"
    assert await _watched_at(two, again) == "other"


async def test_what_the_old_one_says_late_changes_nothing(
    two: Services, ann: User
) -> None:
    first = await _live(two, ann, "a")
    await two.nodes.unheard("local", AT_ONCE)
    again = await two.broadcasts.start(ann, Start())
    await _publish(two, again, "b")
    old, new = _at_local(first, "a"), replace(_at_local(first, "b"), node="other")
    assert not await two.lifecycle.not_ready(old)
    assert await two.lifecycle.ready(old) == "nothing"
    assert await two.lifecycle.ready(old, listed_at=NEWEST) == "refused"
    assert await two.lifecycle.not_ready(new)
    assert await two.lifecycle.ready(old) == "nothing"
    session = await sessions.get(two.pool, first.session.id)
    assert session is not None
    assert (session.status, session.node) == ("reconnecting", "other")


async def test_late_words_change_nothing_with_the_same_key(
    two: Services, ann: User
) -> None:
    """An encoder on a channel has one key, wherever it publishes."""
    key = await two.lasting_keys.create(ann, "obs", "")
    path = key.channel.path
    old, new = (Source(n, path, "rtmpConn", n) for n in ("local", "other"))
    for source in (old, new):
        await grants.add(two.pool, source.node, source.id, path, key.id)
        await two.lifecycle.ready(source)
    assert await two.lifecycle.not_ready(new)
    assert await two.lifecycle.ready(old) == "nothing"


async def test_where_there_is_no_other_it_stays(opened: Services, ann: User) -> None:
    first = await opened.broadcasts.start(ann, Start())
    await opened.nodes.unheard("local", AT_ONCE)
    again = await opened.broadcasts.start(ann, Start())
    assert (again.session.id, again.node.name) == (first.session.id, "local")


async def test_nothing_goes_on_where_it_drains(two: Services, ann: User) -> None:
    await two.broadcasts.start(ann, Start())
    await two.nodes.set_draining("local", draining=True)
    assert (await two.broadcasts.start(ann, Start())).node.name == "other"


async def test_one_is_closed_only_where_another_takes_over(two: Services) -> None:
    await two.nodes.unheard("other", AT_ONCE)
    with pytest.raises(Refusal, match="No other media server"):
        await two.nodes.set_draining("local", draining=True, closed=True)
    await two.nodes.heard("other", "")
    await two.nodes.set_draining("local", draining=True, closed=True)
    assert (await two.nodes.get("local")).closed
    await two.nodes.set_draining("local", draining=False)
    assert (await two.nodes.get("local")).is_well


async def test_a_channel_is_told_where_it_goes_on(two: Services, ann: User) -> None:
    path = (await two.lasting_keys.create(ann, "obs", "")).channel.path

    async def told() -> str | None:
        node = await two.lasting_keys.node_of(path, "")
        return None if node is None else node.name

    assert await told() == "local"
    await two.lifecycle.ready(Source("local", path, "rtmpConn", "a"), listed_at=NEWEST)
    assert await told() == "local"
    await two.nodes.unheard("local", AT_ONCE)
    assert await told() == "other"
    await two.nodes.unheard("other", AT_ONCE)
    assert await told() == "local"
