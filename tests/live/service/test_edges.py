"""Viewers at edges: where they are sent, and that each is counted once."""

import time
from dataclasses import replace

import pytest

from control_plane.base.database import Pool
from control_plane.live.model import asking
from control_plane.live.model.edges import ASKS_AFTER, BEAT, KNOWN_AFTER, signed
from control_plane.live.model.sessions import LiveSession
from control_plane.live.model.starts import Start
from control_plane.live.model.viewers import Audience
from control_plane.live.service import sources
from control_plane.live.service.lifecycle import Source
from control_plane.live.service.rights import watch_terms
from control_plane.live.store.beats import Beats
from control_plane.live.store.viewers import ViewerSets
from control_plane.people.model.users import User
from control_plane.wiring.services import Services
from tests.live.service.conftest import new_user
from tests.support.nodes import NEWEST


@pytest.fixture
async def session(opened: Services, ann: User) -> LiveSession:
    started = (await opened.broadcasts.start(ann, Start())).session
    source = Source("local", started.path, "rtmpConn", "s")
    await opened.lifecycle.ready(source, listed_at=NEWEST)
    return await opened.broadcasts.get(started.id)


async def _two_nodes(opened: Services) -> None:
    """An origin with room for one, and a cache with room for two."""
    local = await opened.nodes.get("local")
    await opened.nodes.save(replace(local, most_readers=1))
    cache = replace(local, name="c", role="cache", most_readers=2)
    await opened.nodes.save(cache)


async def _sent(opened: Services, session: LiveSession, old: str = "") -> list[str]:
    """Where, and the token."""
    found = await opened.watching.admit(session.name, None, old)
    return [found.source.name, found.token]


async def test_one_after_another_is_sent_where_there_is_room(
    opened: Services, session: LiveSession
) -> None:
    await _two_nodes(opened)
    first, second = await _sent(opened, session), await _sent(opened, session)
    assert [first[0], second[0]] == ["local", "c"]
    assert (await _sent(opened, session, first[1]))[0] == "local"
    assert (await _sent(opened, session, second[1]))[0] == "c"


async def test_who_reads_at_a_full_origin_stays_there(
    opened: Services, session: LiveSession
) -> None:
    await _two_nodes(opened)
    found = await opened.watching.admit(session.name, None, "")
    await ViewerSets(opened.redis).change("local", {session.id: ([found.viewer], [])})
    await Beats(opened.redis).listed("local", 1)
    assert (await _sent(opened, session, found.token))[0] == "local"
    assert (await _sent(opened, session))[0] == "c"


@pytest.mark.usefixtures("well_heard")
async def test_a_full_cache_stays_full_when_redis_forgets(
    opened: Services, session: LiveSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "LOOK_AGAIN", 0.0)
    await _two_nodes(opened)
    cache = replace(await opened.nodes.get("c"), name="d", weight=1000)
    await opened.nodes.save(cache)
    beats, now = Beats(opened.redis), time.time()
    await beats.listed("local", 1)
    await beats.hears(["c", "d"], now - KNOWN_AFTER)
    for at in (now - ASKS_AFTER, now):  # ten seconds may end meanwhile
        await beats.asked({"d": 2}, at)
    assert (await _sent(opened, session))[0] == "c"
    await opened.redis.flushdb()
    assert (await _sent(opened, session))[0] == "c"


async def test_who_asks_at_a_cache_counts_until_it_does_not(
    opened: Services, session: LiveSession
) -> None:
    for viewer in ("a", "b", "b"):
        opened.hints.ask("c", (session.id, "local"), viewer, live=True)
    await opened.hints.flush()
    assert await opened.counts.of([session]) == {session.id: 2}
    sets, place = ViewerSets(opened.redis), (session.id, "local")
    now = time.time()
    assert await sets.count([place], now + BEAT - 1, 10.0) == [2]
    assert await sets.count([place], now + BEAT + 1, 10.0) == [0]


async def test_who_waits_at_a_cache_for_the_encoder_goes_on_to_count(
    opened: Services, session: LiveSession
) -> None:
    """And nobody begins to: no bytes move."""
    sets, place = ViewerSets(opened.redis), (session.id, "local")
    now = time.time()
    await Beats(opened.redis).beat({place: {"a": now + 1}}, now)
    for viewer in ("a", "b"):
        opened.hints.ask("c", place, viewer, live=False)
    await opened.hints.flush()
    assert await sets.count([place], now + BEAT - 1, 10.0) == [1]


async def _looked_at(opened: Services, session: LiveSession) -> int:
    """How many the origin's look confirms, its edges' viewers included."""
    tally = opened.counting.look("local")
    return (await opened.counting.count(tally, [session], lists_hls=True))[session.id]


async def _looked_at_edge(opened: Services, session: LiveSession, who: str) -> None:
    """An edge lists them."""
    tally = opened.counting.look("e")
    audiences = {session.path: Audience(frozenset(who))}
    await opened.counting.beat(tally, audiences, [session])


async def test_who_is_let_in_at_an_edge_is_shown_and_confirmed_by_its_list(
    opened: Services, session: LiveSession
) -> None:
    place = (session.id, "local")
    for viewer in "abc":
        opened.hints.come(place, viewer, listed=True)
    await opened.hints.flush()
    assert await opened.counts.of([session]) == {session.id: 3}
    playing = await ViewerSets(opened.redis).playing([(place, "a")], time.time() - 10)
    assert playing == [True]
    assert await _looked_at(opened, session) == 0
    await opened.attendance.flush()
    assert (await opened.broadcasts.attended(session.id)).unique_viewers == 0

    await _looked_at_edge(opened, session, "ab")
    assert await opened.counts.of([session]) == {session.id: 3}
    assert await _looked_at(opened, session) == 2
    await opened.attendance.flush()
    assert (await opened.broadcasts.attended(session.id)).unique_viewers == 2


async def test_who_is_let_in_at_an_origin_and_at_its_edge_is_one(
    opened: Services, session: LiveSession
) -> None:
    opened.hints.note(session.id, "local", "a", listed=True)
    opened.hints.come((session.id, "local"), "a", listed=True)
    await opened.hints.flush()
    assert await opened.counts.of([session]) == {session.id: 1}


async def test_who_comes_back_to_an_edge_is_shown_at_once(
    opened: Services, session: LiveSession
) -> None:
    place, now = (session.id, "local"), time.time()
    await Beats(opened.redis).beat({place: {"a": now - 1}}, now - 2)
    opened.hints.come(place, "a", listed=True)
    await opened.hints.flush()
    assert await opened.counts.of([session]) == {session.id: 1}


async def test_at_an_edge_that_lists_nobody_who_asks_on_is_confirmed(
    opened: Services, session: LiveSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.hints.come((session.id, "local"), "a", listed=False)
    await opened.hints.flush()
    assert await _looked_at(opened, session) == 0
    monkeypatch.setattr(asking, "STEADY_AFTER", 0.0)
    opened.hints.come((session.id, "local"), "a", listed=False)
    opened.hints.come((session.id, "local"), "listed", listed=True)
    await opened.hints.flush()
    assert await _looked_at(opened, session) == 1


async def test_who_goes_from_an_origin_to_its_edges_is_one(
    opened: Services, session: LiveSession, pool: Pool
) -> None:
    """Counted by the node's list, let in there a moment ago, or neither."""
    place = (session.id, "local")
    sets, beats = ViewerSets(opened.redis), Beats(opened.redis)
    now = time.time()
    tally = opened.counting.look("local")
    await opened.counting.count(tally, [session], lists_hls=True)
    await sets.change("local", {session.id: (["listed", "gone on"], [])})
    await sets.hint("hints", {place: {"gone on": now + 1, "let in": now + 1}}, now - 10)
    there = dict.fromkeys(["gone on", "let in", "at edges"], now + BEAT)
    await beats.beat({place: there}, now)
    assert await opened.counts.of([session]) == {session.id: 4}


async def test_hosts_are_told_of_viewers_at_edges(
    opened: Services, session: LiveSession
) -> None:
    opened.hints.ask("c", (session.id, "local"), "a", live=True)
    await opened.hints.flush()
    for _ in range(2):
        tally = opened.counting.look("local")
        confirmed = await opened.counting.count(tally, [session], lists_hls=True)
    assert confirmed == {session.id: 1}
    await opened.attendance.flush()
    attended = await opened.broadcasts.attended(session.id)
    assert attended.unique_viewers == 1
    assert attended.viewer_seconds > 0


async def test_rights_are_looked_at_again_at_edges_too(
    opened: Services, session: LiveSession, pool: Pool
) -> None:
    bob = await new_user(pool, "bob")
    await opened.rights.set_policy(0, session.id, watch_terms("token", 0))
    found = await opened.watching.admit(session.name, bob, "")
    opened.hints.ask("c", (session.id, "local"), found.viewer, live=True)
    await opened.hints.flush()
    tally = opened.counting.look("local")
    await opened.counting.count(tally, [session], lists_hls=True)
    await pool.execute("UPDATE users SET token_version = token_version + 1")
    await opened.looking_again.turn()
    assert await pool.fetchval("SELECT count(*) FROM viewer_denials") == 1


async def test_a_cdn_is_given_what_it_can_check(
    opened: Services, session: LiveSession
) -> None:
    """For a while, and only where nobody has room who asks us."""
    await _two_nodes(opened)
    cdn = replace(await opened.nodes.get("c"), name="cdn", role="cdn")
    await opened.nodes.save(replace(cdn, most_readers=None, hls_url="https://cdn"))
    sent = [await opened.watching.admit(session.name, None, "") for _ in range(4)]
    assert [one.source.name for one in sent] == ["local", "c", "c", "cdn"]
    last = sent[-1]
    keys = opened.secrets.signed_urls("cdn")
    until = last.expires_at
    assert until <= time.time() + opened.settings.signed_url_seconds
    assert last.opens == signed(keys, "local", session.path, until)
    assert last.token not in last.opens
    again = await opened.watching.admit(session.name, None, last.token)
    assert (again.source.name, again.viewer) == ("cdn", last.viewer)
