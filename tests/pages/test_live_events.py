"""What happens in a session as apps read it: every gift, in order."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from control_plane.base.database import Pool, open_pool
from control_plane.coins.model.gifts import GiftOrder
from control_plane.coins.model.ledger import bonus
from control_plane.coins.service.gifts import Gifts
from control_plane.coins.store import ledger
from control_plane.events import reading
from control_plane.events.log import append_session_event
from control_plane.pages import feeds
from control_plane.roles import api
from tests.support.api import App, running, settings
from tests.support.money import ROSE, end_session, new_session, new_user

WITHIN = 60.0  # seconds
Json = dict[str, Any]


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with open_pool(database_url) as opened:
        yield opened


@pytest.fixture
async def app(database_url: str, redis_url: str) -> AsyncIterator[App]:
    wanted = settings(
        database_url, redis_url, node_name="", event_streams_per_address=1000
    )
    async with running(wanted) as opened:
        yield opened


@pytest.fixture
def gifts(pool: Pool) -> Gifts:
    return Gifts(pool, share_percent=0, created_sessions=False)


class Stream:
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.place = ""

    async def block(self) -> tuple[str, Json]:
        """The kind, "state" where none is named, and what it says."""
        while True:
            async with asyncio.timeout(WITHIN):
                raw = await self.response.content.readuntil(b"\n\n")
            lines = raw.decode().strip().splitlines()
            parts = {n: v for n, _, v in (line.partition(": ") for line in lines)}
            self.place = parts.get("id", self.place)
            if "data" in parts:
                return parts.get("event", "state"), json.loads(parts["data"])

    async def next(self, kind: str) -> Json:
        while True:
            found, said = await self.block()
            if found == kind:
                return said

    async def gifts(self, count: int) -> list[int]:
        """Their numbers."""
        return [(await self.next("gift"))["seq"] for _ in range(count)]


@contextlib.asynccontextmanager
async def live_events(app: App, name: object, place: str = "") -> AsyncIterator[Stream]:
    """From its first state on."""
    async with opened(app, name, place) as stream:
        assert (await stream.block())[0] == "state"
        yield stream


@contextlib.asynccontextmanager
async def opened(app: App, name: object, place: str) -> AsyncIterator[Stream]:
    headers = {"Last-Event-ID": place} if place else {}
    url = f"{app.base}/api/liveEvents/{name}"
    async with app.http.get(url, headers=headers) as response:
        assert response.content_type == "text/event-stream"
        yield Stream(response)


async def send(gifts: Gifts, sender: int, session: int, times: int = 1) -> None:
    for _ in range(times):
        await gifts.send(GiftOrder(sender, ROSE, 1, session_id=session))


async def test_every_gift_is_told_in_order(app: App, pool: Pool, gifts: Gifts) -> None:
    ann, bob = await new_user(pool), await new_user(pool, 10_000)
    session = await new_session(pool, ann)
    async with live_events(app, session) as one, live_events(app, session) as other:
        await send(gifts, bob, session, 20)
        first = await one.next("gift")
        assert first["gift"]["title"] == "Rose"
        assert first["gift"]["image"] == "/gifts/rose.png"
        assert (first["session"], first["seq"]) == (session, 1)
        assert await one.gifts(19) == list(range(2, 21))
        assert await other.gifts(20) == list(range(1, 21))


async def test_who_comes_again_has_missed_none(
    app: App, pool: Pool, gifts: Gifts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few of them are remembered, and whether or not others follow too."""
    monkeypatch.setattr(feeds, "REMEMBERED", 5)
    ann, bob = await new_user(pool), await new_user(pool, 10_000)
    session = await new_session(pool, ann)
    async with live_events(app, session) as stream:
        await send(gifts, bob, session, 3)
        await stream.gifts(3)
        place = stream.place
    async with live_events(app, session) as other:
        await send(gifts, bob, session, 20)
        await other.gifts(20)
        async with live_events(app, session, place) as again:
            assert await again.gifts(20) == list(range(4, 24))
            await send(gifts, bob, session)
            assert await again.gifts(1) == [24]
    async with live_events(app, session, place) as alone:
        assert await alone.gifts(21) == list(range(4, 25))
    assert place == f"{session}-3"


async def test_a_hole_can_be_asked_for(app: App, pool: Pool, gifts: Gifts) -> None:
    ann, bob = await new_user(pool), await new_user(pool, 10_000)
    session = await new_session(pool, ann)
    await send(gifts, bob, session, 5)
    async with live_events(app, f"{session}?after={session}-2") as stream:
        assert await stream.gifts(3) == [3, 4, 5]


async def test_only_the_newest_can_be_asked_for(
    app: App, pool: Pool, gifts: Gifts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody may ask, and every time is work."""
    monkeypatch.setattr(reading, "NEWEST", 3)
    monkeypatch.setattr(reading, "AT_ONCE", 2)
    ann, bob = await new_user(pool), await new_user(pool, 10_000)
    session = await new_session(pool, ann)
    await send(gifts, bob, session, 8)
    async with live_events(app, f"{session}?after={session}-0") as stream:
        assert await stream.gifts(3) == [6, 7, 8]


async def test_who_is_gone_since_then_is_not_named(
    app: App, pool: Pool, gifts: Gifts
) -> None:
    session = await new_session(pool, await new_user(pool))
    bob = await app.sign_in("bob")
    sender = await pool.fetchval("SELECT id FROM users WHERE username = 'bob'")
    async with pool.transaction() as connection:
        await ledger.transfer(connection, "bonus", bonus(sender, 10_000))
    await send(gifts, sender, session)
    async with live_events(app, f"{session}?after={session}-0") as stream:
        assert (await stream.next("gift"))["gift"]["sender"] == "bob"
    await bob.ask("deleteUserAccount")
    async with live_events(app, f"{session}?after={session}-0") as stream:
        told = (await stream.next("gift"))["gift"]
    assert (told["sender_id"], told["sender"]) == (sender, "")


async def test_of_other_events_the_number_and_the_type_are_told(
    app: App, pool: Pool, gifts: Gifts
) -> None:
    """Numbers without a gap show that nothing is missing; what operators read there
    is nobody else's business."""
    ann, bob = await new_user(pool), await new_user(pool, 10_000)
    session = await new_session(pool, ann)
    async with live_events(app, session) as stream:
        await send(gifts, bob, session)
        data = {"node": "secret-node", "type": "rtmpConn", "key_id": 5}
        async with pool.transaction() as connection:
            await append_session_event(connection, session, "live.resumed", data)
        await send(gifts, bob, session)
        assert await stream.gifts(1) == [1]
        told = await stream.next("happened")
        assert (told["seq"], told["type"]) == (2, "live.resumed")
        assert "secret-node" not in str(told)
        assert await stream.gifts(1) == [3]


async def test_the_last_gifts_are_told_although_it_is_over(
    app: App, pool: Pool, gifts: Gifts
) -> None:
    ann, bob = await new_user(pool), await new_user(pool, 10_000)
    session = await new_session(pool, ann)
    async with live_events(app, session) as stream:
        await send(gifts, bob, session)
        await stream.gifts(1)
        await send(gifts, bob, session, 10)
        await end_session(pool, session)
        seen: list[int] = []
        state = "live"
        while len(seen) < 10 or state != "ended":
            kind, said = await stream.block()
            if kind == "gift":
                seen.append(said["seq"])
            elif kind == "state":
                state = said["status"]
        assert seen == list(range(2, 12))


async def test_a_channel_is_followed_from_one_broadcast_to_the_next(
    app: App, pool: Pool, gifts: Gifts
) -> None:
    ann, bob = await new_user(pool), await new_user(pool, 10_000)
    name = f"of-{ann}"
    first = await new_session(pool, ann)
    async with live_events(app, name) as stream:
        await send(gifts, bob, first)
        assert (await stream.next("gift"))["session"] == first
        await end_session(pool, first)
        second = await new_session(pool, ann)
        await send(gifts, bob, second)
        told = await stream.next("gift")
        assert (told["session"], told["seq"]) == (second, 1)


@pytest.fixture
def only_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is remembered of what happened: the tail of the log is not looked at."""
    monkeypatch.setattr(api, "LOOK_EVERY", 3600.0)


async def test_who_has_just_come_is_told_what_happened_last(
    only_the_log: None, app: App, pool: Pool, gifts: Gifts
) -> None:
    ann, bob = await new_user(pool), await new_user(pool, 10_000)
    session = await new_session(pool, ann)
    await send(gifts, bob, session)
    async with live_events(app, session) as stream:
        await send(gifts, bob, session, 2)
        await end_session(pool, session)
        assert await stream.gifts(2) == [2, 3]


async def test_who_is_cut_before_anything_happened_comes_again_and_has_missed_none(
    app: App, pool: Pool, gifts: Gifts
) -> None:
    ann, bob = await new_user(pool), await new_user(pool, 10_000)
    session = await new_session(pool, ann)
    await send(gifts, bob, session, 2)
    async with live_events(app, session) as stream:
        place = stream.place
    async with live_events(app, session) as other:
        await send(gifts, bob, session)
        await other.gifts(1)
        async with live_events(app, session, place) as again:
            assert await again.gifts(1) == [3]


async def test_the_last_of_a_broadcast_is_told_before_the_next(
    only_the_log: None, app: App, pool: Pool, gifts: Gifts
) -> None:
    """Also where both are found in one look, or the next after a cut."""
    ann, bob = await new_user(pool), await new_user(pool, 10_000)
    first = await new_session(pool, ann)
    async with live_events(app, f"of-{ann}") as stream:
        place = stream.place
        await send(gifts, bob, first, 2)
        async with pool.transaction() as connection:
            await end_session(connection, first)
            second = await new_session(connection, ann)
        await send(gifts, bob, second)
        assert await _told(stream, 3) == [(first, 1), (first, 2), (second, 1)]
    async with opened(app, f"of-{ann}", place) as again:
        assert await _told(again, 3) == [(first, 1), (first, 2), (second, 1)]


async def _told(stream: Stream, count: int) -> list[tuple[int, int]]:
    """Gifts: of which session, and their numbers."""
    found = [await stream.next("gift") for _ in range(count)]
    return [(one["session"], one["seq"]) for one in found]


@pytest.mark.parametrize("origins", ["*", "https://app.example"])
async def test_other_origins_that_may_call_may_follow_too(
    database_url: str, redis_url: str, pool: Pool, origins: str
) -> None:
    session = await new_session(pool, await new_user(pool))
    wanted = settings(database_url, redis_url, node_name="", cors_origins=origins)
    origin = {"Origin": "https://app.example"}
    async with running(wanted) as app:
        url = f"{app.base}/api/liveEvents/{session}"
        asks = origin | {"Access-Control-Request-Method": "GET"}
        async with app.http.options(url, headers=asks) as response:
            assert "GET" in response.headers["Access-Control-Allow-Methods"]
            allowed = response.headers["Access-Control-Allow-Headers"]
            assert "Last-Event-ID" in allowed
        for name in (session, 999):
            at = f"{app.base}/api/liveEvents/{name}"
            async with app.http.get(at, headers=origin) as response:
                assert response.headers["Access-Control-Allow-Origin"] == origins
        at = f"{app.base}/api/gifts/rose.png"
        async with app.http.get(at, headers=origin) as response:
            assert response.headers["Access-Control-Allow-Origin"] == "*"
        async with app.http.get(f"{app.base}/", headers=origin) as response:
            assert "Access-Control-Allow-Origin" not in response.headers


async def test_a_name_that_nobody_has_is_refused_as_apps_read_it(app: App) -> None:
    async with app.http.get(f"{app.base}/api/liveEvents/999") as response:
        assert response.status == 200
        answer = await response.json()
    assert answer == {"code": 201, "msg": "There is no such live stream."}


async def test_too_many_are_refused_as_apps_read_it(
    database_url: str, redis_url: str, pool: Pool
) -> None:
    session = await new_session(pool, await new_user(pool))
    wanted = settings(database_url, redis_url, node_name="", event_streams=1)
    async with (
        running(wanted) as app,
        live_events(app, session),
        app.http.get(f"{app.base}/api/liveEvents/{session}") as response,
    ):
        assert (await response.json())["code"] == 201


async def test_a_hundred_readers_get_every_gift(
    app: App, pool: Pool, gifts: Gifts
) -> None:
    ann, bob = await new_user(pool), await new_user(pool, 100_000)
    session = await new_session(pool, ann)
    async with contextlib.AsyncExitStack() as stack:
        connector = aiohttp.TCPConnector(limit=0)
        http = await stack.enter_async_context(
            aiohttp.ClientSession(connector=connector)
        )
        many = App(http, app.base)
        streams = [
            await stack.enter_async_context(live_events(many, session))
            for _ in range(100)
        ]
        reading = [asyncio.create_task(stream.gifts(200)) for stream in streams]
        await asyncio.gather(*(send(gifts, bob, session, 20) for _ in range(10)))
        for seqs in await asyncio.gather(*reading):
            assert seqs == list(range(1, 201))
