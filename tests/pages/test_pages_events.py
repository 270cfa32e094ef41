"""Server-sent events as any client receives them."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import aiohttp
import pytest

from control_plane.base.faults import Away
from control_plane.events.model import Event
from control_plane.pages import events
from control_plane.pages.updates import Snapshot
from control_plane.web import sse
from tests.support.pages import Site, Updates, gift, pages, snapshot
from tests.support.stack import until

WITHIN = 60.0  # seconds
PLACE = re.compile(r"(id: \d+-\d+\n)?")  # with the first state


class Reading:
    """The blocks of one event stream."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def block(self) -> str:
        async with asyncio.timeout(WITHIN):
            raw = await self.response.content.readuntil(b"\n\n")
        return raw.decode().removesuffix("\n\n")

    async def data(self) -> object:
        place, _, data = (await self.block()).rpartition("data: ")
        assert PLACE.fullmatch(place)
        return json.loads(data)

    async def until(self, beginning: str) -> None:
        """A block that begins so."""
        while not (await self.block()).startswith(beginning):
            pass

    async def end(self) -> bytes:
        async with asyncio.timeout(WITHIN):
            return await self.response.content.read()


@contextlib.asynccontextmanager
async def reading(site: Site, path: str) -> AsyncIterator[Reading]:
    async with aiohttp.ClientSession() as http, http.get(site.url + path) as response:
        assert response.status == 200
        yield Reading(response)


async def status(site: Site, path: str) -> int:
    async with aiohttp.ClientSession() as http, http.get(site.url + path) as response:
        return response.status


async def test_it_tells_the_state_and_each_change() -> None:
    async with pages() as site:
        site.updates.put("12", snapshot(viewers=1))
        async with reading(site, "/watch/12/events") as stream:
            assert stream.response.content_type == "text/event-stream"
            assert stream.response.headers["Cache-Control"] == "no-store"
            assert await stream.block() == "retry: 2000"
            assert await stream.data() == snapshot(viewers=1)
            site.updates.put("12", snapshot(viewers=2))
            assert await stream.data() == snapshot(viewers=2)


async def test_a_channel_without_a_broadcast_is_null() -> None:
    async with pages() as site:
        site.updates.put("ann", None)
        async with reading(site, "/watch/ann/events") as stream:
            await stream.block()
            assert await stream.data() is None
            site.updates.put("ann", snapshot())
            assert await stream.data() == snapshot()


async def test_the_list_is_told_whole() -> None:
    async with pages() as site, reading(site, "/events") as stream:
        await stream.block()
        assert await stream.data() == {"sessions": []}
        site.updates.put_list([snapshot(), snapshot(id="13")])
        assert await stream.data() == {"sessions": [snapshot(), snapshot(id="13")]}


async def test_an_unknown_name_is_404() -> None:
    async with pages() as site:
        assert await status(site, "/watch/99/events") == 404


async def test_a_name_that_appears_later_is_found() -> None:
    async with pages() as site:
        assert await status(site, "/watch/12/events") == 404
        site.updates.put("12", snapshot())
        async with reading(site, "/watch/12/events") as stream:
            assert await stream.block() == "retry: 2000"


async def test_silence_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "KEEP_ALIVE", 0.05)
    async with pages() as site:
        site.updates.put("12", snapshot())
        async with reading(site, "/watch/12/events") as stream:
            await stream.block()
            await stream.block()
            assert await stream.block() == ": keep-alive"
            assert await stream.block() == ": keep-alive"


async def test_many_followers_share_one_subscription_which_ends_with_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sse, "KEEP_ALIVE", 0.05)
    async with pages() as site:
        site.updates.put("12", snapshot())
        async with (
            reading(site, "/watch/12/events") as one,
            reading(site, "/watch/12/events") as other,
        ):
            for stream in (one, other):
                await stream.block()
                assert await stream.data() == snapshot()
            assert site.updates.followed == ["12"]

        async def nobody_follows() -> bool:
            return not site.updates.followed

        await until(nobody_follows, WITHIN)


async def test_a_client_that_reads_nothing_holds_nobody_and_ends_with_the_newest() -> (
    None
):
    long_title = "x" * 200_000
    async with pages() as site:
        site.updates.put("12", snapshot())
        async with (
            reading(site, "/watch/12/events") as slow,
            reading(site, "/watch/12/events") as quick,
        ):
            await quick.block()
            await quick.data()
            for viewers in range(100):
                site.updates.put("12", snapshot(title=long_title, viewers=viewers))
                await _until(quick, viewers)
            received = await _until(slow, 99)
        assert received < 100


async def _until(stream: Reading, viewers: int) -> int:
    """How many states came until this one did."""
    received = 0
    while True:
        block = await stream.block()
        if block.startswith("data: "):
            received += 1
            if json.loads(block.removeprefix("data: "))["viewers"] == viewers:
                return received


async def test_a_client_that_takes_nothing_for_long_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sse, "WRITE_WITHIN", 0.2)
    async with pages() as site:
        site.updates.put("12", snapshot())
        async with reading(site, "/watch/12/events") as stuck:
            await stuck.block()
            async with asyncio.timeout(WITHIN):
                while site.updates.followed:
                    site.updates.put("12", snapshot(title="x" * 1_000_000))
                    await asyncio.sleep(0.01)
            with pytest.raises(aiohttp.ClientPayloadError):
                await stuck.end()


async def test_it_ends_cleanly_when_the_service_shuts_down() -> None:
    async with pages() as site:
        site.updates.put("12", snapshot())
        async with reading(site, "/watch/12/events") as stream:
            await stream.block()
            await stream.data()
            site.updates.close()
            assert await stream.end() == b""


class Broken(Updates):
    """Postgres is away."""

    @contextlib.asynccontextmanager
    async def subscribe(
        self, name: str
    ) -> AsyncIterator[AsyncIterator[Snapshot | None]]:
        raise ConnectionError("no database")
        yield self._states(name)


async def test_a_failing_service_is_503() -> None:
    async with pages(updates=Broken()) as site:
        assert await status(site, "/watch/12/events") == 503


async def test_a_service_that_says_nothing_is_503(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(events, "FIRST_WITHIN", 0.05)

    class Mute(Updates):
        async def _states(self, name: str) -> AsyncIterator[Snapshot | None]:
            await self._changed.wait()
            yield None

    async with pages(updates=Mute()) as site:
        site.updates.put("12", snapshot())
        assert await status(site, "/watch/12/events") == 503


async def test_a_missing_player_stops_nothing(tmp_path: Path) -> None:
    async with pages(player=tmp_path / "none.mjs") as site:
        site.updates.put("12", snapshot())
        async with reading(site, "/watch/12/events") as stream:
            assert await stream.block() == "retry: 2000"


async def test_who_has_missed_something_comes_again_while_nobody_knows_it() -> None:
    async def away(_session_id: int, _seq: int) -> Sequence[Event]:
        raise Away("no database")

    async with pages(missed=away) as site:
        site.updates.put("12", snapshot())
        async with reading(site, "/watch/12/events?after=12-1") as stream:
            assert await stream.block() == "retry: 2000"
            assert await stream.data() == snapshot()
            assert await stream.end() == b""


async def test_the_last_that_happened_is_looked_up_once_for_all() -> None:
    asked: list[int] = []

    async def missed(_session_id: int, seq: int) -> Sequence[Event]:
        asked.append(seq)
        return [gift(2, sender="bob", count=1)] if seq < 2 else []

    async with contextlib.AsyncExitStack() as stack:
        site = await stack.enter_async_context(pages(missed=missed))
        site.updates.put("12", snapshot())
        streams = [
            await stack.enter_async_context(reading(site, "/watch/12/events"))
            for _ in range(100)
        ]
        for stream in streams:
            await stream.until("id: 12-0")
        site.feeds.put([gift(1, sender="bob", count=1)])
        for stream in streams:
            await stream.until("id: 12-1")
        site.updates.put("12", snapshot(status="ended"))
        for stream in streams:
            await stream.until("id: 12-2")
    assert len(asked) <= 5


async def test_the_first_broadcast_of_a_channel_is_told_from_its_beginning() -> None:
    async def missed(_session_id: int, seq: int) -> Sequence[Event]:
        return [gift(1, sender="bob", count=1)] if seq < 1 else []

    async with pages(missed=missed) as site:
        site.updates.put("ann", None)
        async with reading(site, "/watch/ann/events") as stream:
            await stream.until("data: null")
            site.updates.put("ann", snapshot())
            await stream.until("id: 12-1")


async def test_that_it_is_over_is_told_before_the_last_that_happened_is_known() -> None:
    known = asyncio.Event()

    async def missed(_session_id: int, seq: int) -> Sequence[Event]:
        await known.wait()
        return [gift(1, sender="bob", count=1)] if seq < 1 else []

    async with pages(missed=missed) as site:
        site.updates.put("12", snapshot())
        async with reading(site, "/watch/12/events") as stream:
            await stream.until("id: 12-0")
            over = snapshot(status="ended")
            site.updates.put("12", over)
            assert await stream.data() == over
            known.set()
            await stream.until("id: 12-1")
