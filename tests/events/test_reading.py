"""The log as operators read it, by cursor and live."""

import asyncio
import contextlib
import json
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from control_plane.base.database import Pool
from control_plane.events.log import append_user_events
from control_plane.events.types import KINDS
from control_plane.ops import events
from control_plane.web import metrics, sse
from tests.support.api import APART_FROM_NODES, App, running, settings
from tests.support.closed import closed
from tests.support.commands import command
from tests.support.log import bonus, new_user
from tests.support.stack import until

WITHIN = 30.0  # seconds
Json = dict[str, Any]


@pytest.fixture
async def app(database_url: str, redis_url: str) -> AsyncIterator[App]:
    async with running(
        settings(database_url, redis_url, node_name=""), APART_FROM_NODES
    ) as opened:
        yield opened


@pytest.fixture
async def token(env: dict[str, str]) -> str:
    return (await command(env, "token", "create", "dashboard")).stdout.strip()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def get(app: App, token: str, query: str = "", expected: int = 200) -> Json:
    url = f"{app.operators}/v1/events{query}"
    async with app.http.get(url, headers=bearer(token)) as response:
        assert response.status == expected
        answer: Json = await response.json()
    return answer


async def get_some(app: App, token: str, count: int, query: str = "") -> Json:
    async def enough() -> Json | None:
        page = await get(app, token, query)
        return page if len(page["events"]) >= count else None

    page: Json = await until(enough, WITHIN, 0.02)
    return page


async def test_the_log_is_read_page_by_page(app: App, pool: Pool, token: str) -> None:
    user = await new_user(pool)
    for coin in (1, 2, 3):
        await bonus(pool, user, coin)
    await get_some(app, token, 3)
    page = await get(app, token, "?limit=2")
    assert [event["data"]["coin"] for event in page["events"]] == [1, 2]
    assert page["more"]
    rest = await get(app, token, f"?after={page['next']}")
    assert [event["data"]["coin"] for event in rest["events"]] == [3]
    assert not rest["more"]
    assert (await get(app, token, f"?after={rest['next']}"))["events"] == []
    event = rest["events"][0]
    assert event["type"] == "coins.bonus"
    assert (event["subject"], event["subject_id"], event["seq"]) == ("user", user, 3)
    assert event["cursor"] == rest["next"]


async def test_types_and_a_subject_can_be_asked_for(
    app: App, pool: Pool, token: str
) -> None:
    one, other = await new_user(pool), await new_user(pool)
    await bonus(pool, one, 1)
    await bonus(pool, other, 2)
    await get_some(app, token, 2)
    found = await get(app, token, f"?subject=user/{other}&types=coins.bonus")
    assert [event["data"]["coin"] for event in found["events"]] == [2]
    found = await get(app, token, "?types=payout.paid,payout.rejected")
    assert found["events"] == []


async def test_all_types_but_some_can_be_asked_for(
    app: App, pool: Pool, token: str
) -> None:
    await bonus(pool, await new_user(pool))
    all_of_them = ",".join(sorted(KINDS))
    found = await get_some(app, token, 1, f"?types={all_of_them}")
    assert [event["type"] for event in found["events"]] == ["coins.bonus"]
    others = ",".join(sorted(KINDS.keys() - {"coins.bonus"}))
    assert (await get(app, token, f"?types={others}"))["events"] == []
    async with stream(app, token, f"?types={others}") as live:
        await live.block()


async def test_a_subject_can_be_asked_for_in_one_month(
    app: App, pool: Pool, token: str
) -> None:
    user = await new_user(pool)
    await bonus(pool, user)
    await get_some(app, token, 1)
    about = f"?subject=user/{user}&month="
    now = datetime.now(UTC)
    assert len((await get(app, token, f"{about}{now:%Y-%m}"))["events"]) == 1
    assert (await get(app, token, f"{about}{now.year - 1}-01"))["events"] == []


@pytest.mark.parametrize(
    "query",
    [
        *("after=x", "after=1.2", "types=live.dance", "subject=cat/1"),
        *("subject=user/a", "subject=user/99999999999"),
        *("limit=0", "limit=x", "limit=2000"),
    ],
)
async def test_what_cannot_be_meant_is_said(app: App, token: str, query: str) -> None:
    assert (await get(app, token, f"?{query}", 400))["detail"]


async def test_only_operators_read(
    app: App, token: str, env: dict[str, str], pool: Pool
) -> None:
    await get(app, "", expected=401)
    await get(app, "cpo_wrong", expected=401)
    async with app.http.get(f"{app.base}/v1/events", headers=bearer(token)) as found:
        assert found.status in (404, 405)  # the public listener serves no such thing
    said = await command(env, "token", "create", "hooks", "--scope", "admin")
    await get(app, said.stdout.strip(), expected=403)
    said = await command(env, "token", "create", "short", "--days", "0")
    await get(app, said.stdout.strip(), expected=401)
    assert (await command(env, "token", "revoke", "dashboard")).exit_code == 0
    await get(app, token, expected=401)
    listed = json.loads((await command(env, "token", "list", "--json")).output)
    assert [one["name"] for one in listed] == ["dashboard", "hooks", "short"]
    assert token not in str(listed)
    stored = await pool.fetchval(
        "SELECT string_agg(t::text, '') FROM operator_tokens t"
    )
    assert token not in stored


async def test_a_name_is_free_again_once_its_token_is_revoked(
    env: dict[str, str], token: str
) -> None:
    again = await command(env, "token", "create", "dashboard")
    assert again.exit_code == 1
    assert "revoke it first" in again.output
    await command(env, "token", "revoke", "dashboard")
    assert (await command(env, "token", "create", "dashboard")).exit_code == 0


class Stream:
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def block(self) -> dict[str, str]:
        async with asyncio.timeout(WITHIN):
            raw = await self.response.content.readuntil(b"\n\n")
        if not raw:
            raise asyncio.IncompleteReadError(raw, None)
        pairs = (line.partition(": ") for line in raw.decode().strip().splitlines())
        return {name: value for name, _, value in pairs}

    async def event(self) -> Json:
        while "data" not in (block := await self.block()):
            pass
        event: Json = json.loads(block["data"])
        assert event["cursor"] == block["id"]
        return event


@contextlib.asynccontextmanager
async def stream(
    app: App, token: str, query: str = "", last: str = ""
) -> AsyncIterator[Stream]:
    headers = bearer(token) | ({"Last-Event-ID": last} if last else {})
    url = f"{app.operators}/v1/events/stream{query}"
    async with app.http.get(url, headers=headers) as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        yield Stream(response)


async def test_events_are_told_as_they_come(app: App, pool: Pool, token: str) -> None:
    user = await new_user(pool)
    async with stream(app, token) as live:
        await live.block()
        for coin in (1, 2):
            await bonus(pool, user, coin)
            assert (await live.event())["data"]["coin"] == coin


async def test_who_comes_again_has_missed_nothing(
    app: App, pool: Pool, token: str
) -> None:
    user = await new_user(pool)
    async with stream(app, token) as live:
        await live.block()
        await bonus(pool, user, 1)
        last = (await live.event())["cursor"]
    for coin in (2, 3):
        await bonus(pool, user, coin)
    async with stream(app, token, last=last) as live:
        assert [(await live.event())["data"]["coin"] for _ in range(2)] == [2, 3]
        await bonus(pool, user, 4)
        assert (await live.event())["data"]["coin"] == 4


async def test_a_stream_can_begin_at_the_beginning_and_take_some_types_only(
    app: App, pool: Pool, token: str
) -> None:
    user = await new_user(pool)
    await bonus(pool, user, 1)
    async with stream(app, token, "?after=&types=coins.bonus") as live:
        assert (await live.event())["data"]["coin"] == 1
    async with stream(app, token, "?after=&types=payout.paid") as live:
        await live.block()
        assert live.response.status == 200


async def test_silence_tells_where_to_go_on(
    app: App, pool: Pool, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also past what the reader did not want."""
    monkeypatch.setattr(sse, "KEEP_ALIVE", 0.05)
    user = await new_user(pool)
    async with stream(app, token, "?types=payout.paid") as live:
        await live.block()
        first = (await live.block())["id"]
        await bonus(pool, user)
        await until(lambda: _is_further(live, first), WITHIN, 0.0)


async def _is_further(live: Stream, first: str) -> bool:
    """A writer elsewhere in the same Postgres holds the place back for a while."""
    return (await live.block())["id"] != first


async def test_while_nothing_is_wanted_that_happens_it_tells_where_to_go_on(
    app: App, pool: Pool, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And so it learns that a reader is gone."""
    monkeypatch.setattr(sse, "KEEP_ALIVE", 0.5)
    user, before = await new_user(pool), _streams_ended()
    async with _always(lambda: bonus(pool, user)):
        async with stream(app, token, "?types=payout.paid") as live:
            await live.block()
            first = (await live.block())["id"]
            await until(lambda: _is_further(live, first), WITHIN, 0.0)

        async def ended() -> bool:
            return _streams_ended() > before

        await until(ended, WITHIN)


def _streams_ended() -> float:
    told = metrics.exposition()[0].decode()
    line = r'control_plane_requests_total{.*route="/v1/events/stream"} (.*)'
    return sum(map(float, re.findall(line, told)))


@contextlib.asynccontextmanager
async def _always(happens: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    async def again() -> None:
        while True:
            await happens()

    task = asyncio.create_task(again())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_token_that_is_revoked_reads_no_more(
    app: App, env: dict[str, str], token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "KEEP_ALIVE", 0.05)
    monkeypatch.setattr(events, "CHECK_EVERY", 0.1)
    async with stream(app, token) as live:
        await live.block()
        await command(env, "token", "revoke", "dashboard")
        async with asyncio.timeout(WITHIN):
            await live.response.content.read()


async def test_a_stream_whose_token_cannot_be_checked_ends(
    app: App,
    owner: Pool,
    database_url: str,
    token: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Postgres is away: nothing follows what was begun, and the reader comes again."""
    monkeypatch.setattr(sse, "KEEP_ALIVE", 0.05)
    monkeypatch.setattr(events, "CHECK_EVERY", 0.1)
    async with stream(app, token) as live:
        await live.block()
        async with closed(owner, database_url), asyncio.timeout(WITHIN):
            assert b"HTTP/1.1" not in await live.response.content.read()


async def test_streams_end_when_the_service_shuts_down(
    database_url: str, redis_url: str, token: str
) -> None:
    wanted = settings(database_url, redis_url, node_name="")
    async with aiohttp.ClientSession() as http, contextlib.AsyncExitStack() as stack:
        app = await stack.enter_async_context(running(wanted, APART_FROM_NODES))
        async with stream(App(http, app.base, app.operators), token) as live:
            await live.block()
            await stack.aclose()
            assert b"data" not in await live.response.content.read()


async def test_a_reader_that_takes_nothing_holds_nobody(
    app: App, pool: Pool, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is cut, and goes on by its cursor when it comes again."""
    monkeypatch.setattr(sse, "WRITE_WITHIN", 5.0)
    monkeypatch.setattr(sse, "KEEP_ALIVE", 0.5)
    user, before = await new_user(pool), _streams_ended()
    small = aiohttp.TCPConnector(socket_factory=_with_a_small_buffer)
    async with (
        aiohttp.ClientSession(connector=small) as http,
        stream(App(http, app.base, app.operators), token) as slow,
        stream(app, token) as quick,
    ):
        await quick.block()
        async with asyncio.TaskGroup() as group:
            group.create_task(_many(pool, user, 30_000))
            for seq in range(1, 30_001):  # as they come: else it is slow itself
                assert (await quick.event())["seq"] == seq

        async def is_cut() -> bool:
            assert "data" not in await quick.block()
            return _streams_ended() > before

        await until(is_cut, WITHIN, 0.0)
        got = await _until_cut(slow)
    assert [event["seq"] for event in got] == list(range(1, len(got) + 1))
    assert len(got) < 30_000
    async with stream(app, token, last=got[-1]["cursor"]) as again:
        assert (await again.event())["seq"] == len(got) + 1


def _with_a_small_buffer(address: Any) -> socket.socket:
    made = socket.socket(address[0], address[1], address[2])
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    return made


async def _until_cut(stream: Stream) -> list[Json]:
    got = []
    with contextlib.suppress(aiohttp.ClientPayloadError, asyncio.IncompleteReadError):
        while True:
            got.append(await stream.event())
    return got


async def _many(pool: Pool, user: int, count: int) -> None:
    happened = [(user, {"coin": 1, "reason": "x" * 200})] * 1000
    for _ in range(count // 1000):
        async with pool.transaction() as connection:
            await append_user_events(connection, "coins.bonus", happened)


async def test_the_log_is_shown_on_the_command_line(
    app: App, pool: Pool, env: dict[str, str], token: str
) -> None:
    user = await new_user(pool)
    for coin in (1, 2):
        await bonus(pool, user, coin)
    await get_some(app, token, 2)
    lines = (await command(env, "events", "export")).output.splitlines()
    found = [json.loads(line) for line in lines]
    assert [event["data"]["coin"] for event in found] == [1, 2]
    again = await command(env, "events", "export", "--after", found[0]["cursor"])
    assert again.output.splitlines() == lines[1:]
    newest = await command(env, "events", "tail", "--lines", "1")
    assert newest.output.splitlines() == lines[1:]
    shown = await command(env, "events", "show", found[0]["id"], "--json")
    assert json.loads(shown.output) == found[0]
    assert (await command(env, "events", "show", "evt_999")).exit_code == 1
    assert (await command(env, "events", "export", "--after", "x")).exit_code == 2
