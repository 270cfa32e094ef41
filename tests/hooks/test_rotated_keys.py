"""Lasting keys that are rotated, open for one broadcast, or within a time only: whom
the node lets in, and who goes on."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from control_plane.base.database import Pool, open_pool
from tests.hooks.conftest import Json, Service, publish
from tests.support.client import Account
from tests.support.stack import until

PATH = "live/ann"


@pytest.fixture
async def ann(service: Service) -> Account:
    return await service.app.sign_in("ann")


@pytest.fixture
async def owner(owner_url: str) -> AsyncIterator[Pool]:
    async with open_pool(owner_url) as pool:
        yield pool


async def _make(ann: Account, **terms: object) -> Json:
    made: Json = (await ann.ask("streamKeys", {"name": "obs", **terms}))["StreamKey"]
    return made


async def _rotate(ann: Account, key: Json, **how: object) -> Json:
    made: Json = (await ann.ask("rotateStreamKey", {"id": key["id"], **how}))[
        "StreamKey"
    ]
    return made


async def _opens(service: Service, key: Json, source: str = "s1") -> bool:
    """At once: nothing waits for a notice."""
    return await service.auth(publish(PATH, key["key"], id=source)) == 200


async def _refused(service: Service, key: Json) -> None:
    """Once the notice of the change is heard."""

    async def closed() -> bool:
        return not await _opens(service, key, "nobody")

    await until(closed)


async def _live(service: Service, key: Json, source: str) -> str:
    """The session that an encoder with this key has after a while."""
    assert await service.lets_in(publish(PATH, key["key"], id=source))
    assert await service.hook("ready", PATH, source) == 204
    shown = await service.ask("showLiveStream", {"name": "ann"})
    assert shown["LiveStreaming"]["status"] == "live"
    return str(shown["LiveStreaming"]["id"])


async def _states(ann: Account) -> list[tuple[str, str]]:
    shown = await ann.ask("showStreamKeys")
    return [(k["StreamKey"]["name"], k["StreamKey"]["state"]) for k in shown]


async def test_what_cannot_be_read_makes_and_rotates_no_key(
    ann: Account, service: Service
) -> None:
    key, nonsense = await _make(ann), {"region": ["eu"]}
    assert (await ann.call("streamKeys", nonsense))["code"] == 400
    wrong = {"id": key["id"], "at_once": 1, **nonsense}
    assert (await ann.call("rotateStreamKey", wrong))["code"] == 400
    for overlap in (10**15, -(10**15)):
        endless = {"id": key["id"], "overlap": overlap}
        assert (await ann.call("rotateStreamKey", endless))["code"] == 400
    [left] = await ann.ask("showStreamKeys")
    assert left["StreamKey"]["id"] == key["id"]
    assert await service.lets_in(publish(PATH, key["key"]))


async def test_a_key_is_shown_while_no_node_takes_a_broadcast(
    service: Service, ann: Account, owner: Pool
) -> None:
    """This once: it counts from now on."""
    await owner.execute("UPDATE nodes SET lost = true")
    key = await _make(ann)
    new = await _rotate(ann, key)
    assert new["stream_key"] == f"ann?key={new['key']}"
    for name in ("rtmp_server", "rtmp_url", "srt_url", "whip_url", "playback_url"):
        assert (key[name], new[name]) == ("", "")
    await owner.execute("UPDATE nodes SET lost = false")
    assert await service.lets_in(publish(PATH, new["key"]))


async def test_both_keys_open_during_the_overlap(
    service: Service, ann: Account
) -> None:
    old = await _make(ann)
    session = await _live(service, old, "s1")
    new = await _rotate(ann, old, overlap=600)
    assert new["key"] != old["key"]
    assert await _states(ann) == [("obs", "rotating"), ("obs", "open")]
    assert await service.lets_in(publish(PATH, new["key"], id="s2"))
    assert await _opens(service, old)
    assert await _live(service, new, "s3") == session


async def test_without_an_overlap_the_running_broadcast_goes_on(
    service: Service, ann: Account
) -> None:
    old = await _make(ann)
    session = await _live(service, old, "s1")
    new = await _rotate(ann, old, overlap=0)
    await _refused(service, old)
    assert await service.status({"id": session}) == "live"
    assert await _states(ann) == [("obs", "closed"), ("obs", "open")]
    assert await service.lets_in(publish(PATH, new["key"], id="s2"))


async def test_at_once_the_old_key_is_gone(service: Service, ann: Account) -> None:
    old = await _make(ann)
    assert await service.lets_in(publish(PATH, old["key"]))
    new = await _rotate(ann, old, at_once=1)
    await _refused(service, old)
    assert await _states(ann) == [("obs", "open")]
    assert await service.lets_in(publish(PATH, new["key"], id="s2"))


async def test_an_overlap_ends(service: Service, ann: Account, owner: Pool) -> None:
    old = await _make(ann)
    await _rotate(ann, old)
    await owner.execute(
        "UPDATE stream_keys SET closes_at = now() WHERE id = $1", old["id"]
    )
    await _refused(service, old)


async def test_a_key_is_rotated_once(ann: Account) -> None:
    old = await _make(ann)
    new = await _rotate(ann, old)
    assert "rotated" in (await ann.call("rotateStreamKey", {"id": old["id"]}))["msg"]
    await _rotate(ann, new)


@pytest.mark.parametrize("overlap", [-1, 86_401])
async def test_an_overlap_is_a_day_at_most(ann: Account, overlap: int) -> None:
    key = await _make(ann)
    body = {"id": key["id"], "overlap": overlap}
    answer = await ann.call("rotateStreamKey", body)
    assert answer["code"] == 400
    assert await _states(ann) == [("obs", "open")]


async def test_nobody_rotates_the_key_of_another(
    service: Service, ann: Account
) -> None:
    key = await _make(ann)
    bob = await service.app.sign_in("bob")
    await bob.ask("streamKeys", {})
    assert (await bob.call("rotateStreamKey", {"id": key["id"]}))["code"] != 200


async def test_a_key_for_one_broadcast(service: Service, ann: Account) -> None:
    key = await _make(ann, one_shot=1)
    session = await _live(service, key, "s1")
    assert await service.hook("not_ready", PATH, "s1") == 204
    assert await _live(service, key, "s2") == session  # it may come back
    await ann.ask("liveStream", {"id": session, "ended_at": "now"})
    await _refused(service, key)
    assert await _states(ann) == [("obs", "spent")]


async def test_a_spent_key_opens_nothing_though_auth_was_too_fast(
    service: Service, ann: Account, owner: Pool
) -> None:
    """It was let in a moment before the notice that its broadcast is over."""
    key = await _make(ann, one_shot=1)
    session = await _live(service, key, "s1")
    assert await service.lets_in(publish(PATH, key["key"], id="s2"))
    await ann.ask("liveStream", {"id": session, "ended_at": "now"})
    await owner.execute("UPDATE channels SET closed_until = NULL")
    assert await service.hook("ready", PATH, "s2") == 204
    assert await service.status({"id": session}) == "ended"
    shown = await service.ask("showLiveStream", {"name": "ann"})
    assert shown["LiveStreaming"]["id"] == session


async def test_a_key_with_a_time(service: Service, ann: Account, owner: Pool) -> None:
    now = datetime.now(UTC)
    soon, later = now + timedelta(hours=1), now + timedelta(hours=2)
    key = await _make(ann, opens_at=soon.isoformat(), closes_at=later.isoformat())
    assert await _states(ann) == [("obs", "scheduled")]
    assert not await _opens(service, key)
    await owner.execute("UPDATE stream_keys SET opens_at = now()")
    session = await _live(service, key, "s1")
    await owner.execute("UPDATE stream_keys SET closes_at = now()")
    await _refused(service, key)
    assert await service.status({"id": session}) == "live"


@pytest.mark.parametrize(
    "terms",
    [
        {"opens_at": "tomorrow"},
        {"closes_at": "2030-01-01T00:00:00"},
        {"closes_at": "2020-01-01T00:00:00Z"},
        {"opens_at": "2031-01-01T00:00:00Z", "closes_at": "2030-01-01T00:00:00Z"},
    ],
)
async def test_terms_that_make_no_sense(ann: Account, terms: Json) -> None:
    assert (await ann.call("streamKeys", terms))["code"] == 400
    assert await ann.ask("showStreamKeys") == []


async def test_a_phone_that_asks_again_gets_the_same_key(
    service: Service, ann: Account
) -> None:
    old = await _make(ann)
    headers = {"Auth-Token": ann.token, "Idempotency-Key": "once"}
    body = json.dumps({"id": old["id"], "overlap": 60})
    answers = [
        await service.app.raw("rotateStreamKey", body, headers) for _ in range(2)
    ]
    assert answers[0] == answers[1]
    new = answers[0]["msg"]["StreamKey"]
    assert await service.lets_in(publish(PATH, new["key"]))
