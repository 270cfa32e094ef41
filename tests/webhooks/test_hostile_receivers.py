"""Receivers that hang, lie, point elsewhere and never end."""

import asyncio
import itertools
import socket

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from control_plane.audit.log import acting, record
from control_plane.audit.model import Actor
from control_plane.audit.service import AuditLog
from control_plane.base.database import Pool
from control_plane.webhooks.sending import http
from control_plane.webhooks.sending.guard import Forbidden, Guard
from control_plane.webhooks.sending.http import open_sender
from tests.support.api import App
from tests.support.locks import WAITING
from tests.support.log import bonus, new_user
from tests.support.operators import ask, token
from tests.support.receiver import Json, Receiver, receiver
from tests.support.stack import until
from tests.webhooks.conftest import Operator

HERE = [
    *("127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1"),
    *("[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "[::]"),
    *("127.0.0.1.", "localhost."),
]
ELSEWHERE = [
    *("169.254.169.254", "10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1"),
    *("fe80::1", "fe80::1%eth0", "fc00::1", "224.0.0.1", "255.255.255.255"),
    *("64:ff9b::a00:1", "64:ff9b::7f00:1", "2002:7f00:1::", "2002:a00:1::"),
    *("::ffff:10.0.0.1", "2001:0:7f00:1::", "", "example.com"),
    *("fec0::1", "feff:ffff::1", "::10.0.0.1", "::7f00:1", "::ffff:0:a00:1"),
]
PUBLIC = ["93.184.215.14", "2606:4700::1111", "64:ff9b::5db8:d70e"]


@pytest.mark.parametrize("address", ELSEWHERE)
def test_these_are_no_addresses_to_connect_to(address: str) -> None:
    with pytest.raises(Forbidden):
        Guard("").check(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_these_are(address: str) -> None:
    Guard("").check(address)


@pytest.mark.parametrize("host", HERE)
async def test_nothing_is_sent_to_ourselves(host: str, hook: Receiver) -> None:
    port = hook.url.split(":")[2]
    async with open_sender(Guard("")) as sender:
        answer = await sender.send(f"http://{host}:{port}", {}, b"{}")
    assert answer.status == 0
    assert answer.reason
    assert hook.got == []


async def test_a_setting_allows_some_of_them(hook: Receiver) -> None:
    async with open_sender(Guard("10.0.0.0/8 127.0.0.1")) as sender:
        assert (await sender.send(hook.url, {}, b'{"type": "x"}')).taken
        other = hook.url.replace("127.0.0.1", "127.0.0.2")
        assert "not a public address" in (await sender.send(other, {}, b"{}")).reason


class Rebinding(AbstractResolver):
    """A name server that says one address first and another one then."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = itertools.chain(
            addresses[:-1], itertools.repeat(addresses[-1])
        )

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=next(self._addresses),
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        pass


async def test_a_name_that_turns_to_a_private_address_is_not_followed(
    hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "NAMES_KEPT", 0)

    async def closes(_request: web.Request, _event: Json) -> web.StreamResponse:
        return web.Response(headers={"Connection": "close"})

    hook.misbehave = closes
    url = hook.url.replace("127.0.0.1", "receiver.example")
    names = Rebinding("127.0.0.1", "127.0.0.2")
    async with receiver("127.0.0.2", int(url.split(":")[2].split("/")[0])) as inner:
        async with open_sender(Guard("127.0.0.1"), names) as sender:
            assert (await sender.send(url, {}, b'{"type": "x"}')).taken
            again = await sender.send(url, {}, b'{"type": "x"}')
        assert "127.0.0.2 is not a public address" in again.reason
        assert inner.got == []


async def _one_event(operator: Operator, hook: Receiver, pool: Pool) -> Json:
    endpoint = await operator.add(hook.url)
    await bonus(pool, await new_user(pool))
    return endpoint


async def _line(operator: Operator, endpoint: Json) -> Json:
    """The newest of the delivery log that tells of an event."""

    async def found() -> Json | None:
        lines = [line for line in await operator.log(endpoint) if line["event"]]
        return lines[0] if lines else None

    line: Json = await until(found)
    return line


class Once:
    """Something, and then good behaviour."""

    def __init__(self, first: web.StreamResponse | None = None) -> None:
        self._first = first
        self.done = False

    async def __call__(
        self, request: web.Request, _event: Json
    ) -> web.StreamResponse | None:
        if self.done:
            return None
        self.done = True
        return await self.first(request)

    async def first(self, _request: web.Request) -> web.StreamResponse:
        assert self._first is not None
        return self._first


async def test_a_redirect_is_a_failure_and_not_followed(
    operator: Operator, hook: Receiver, pool: Pool
) -> None:
    inside = web.Response(status=307, headers={"Location": "/inside"})
    hook.misbehave = Once(inside)
    endpoint = await _one_event(operator, hook, pool)
    await hook.takes(1)
    assert {got.path for got in hook.got} == {"/hook"}
    lines = await until(lambda: _lines_with(operator, endpoint, 307))
    assert "redirects are not followed" in lines[-1]["error"]


async def _lines_with(operator: Operator, endpoint: Json, status: int) -> list[Json]:
    lines = [line for line in await operator.log(endpoint) if line["event"]]
    return [line for line in lines if line["status"] == status]


async def test_410_switches_it_off(
    operator: Operator, hook: Receiver, pool: Pool
) -> None:
    hook.misbehave = Once(web.Response(status=410))
    endpoint = await _one_event(operator, hook, pool)

    async def off() -> bool:
        return not (await operator.get(endpoint))["enabled"]

    await until(off)
    assert "410" in (await operator.get(endpoint))["disabled_because"]
    [entry] = await AuditLog(pool).page(1)
    assert (entry.act, entry.actor) == ("webhook.disabled", "service:deliveries")
    enabled = await operator.ask("POST", f"/{endpoint['id']}/enable")
    assert enabled["enabled"]
    await hook.takes(1)  # what made it say so is not lost


class Asked(Once):
    """Answers 410 when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()

    async def first(self, _request: web.Request) -> web.StreamResponse:
        self.asked.set()
        await self.answer.wait()
        return web.Response(status=410)


async def test_looking_whose_it_is_meanwhile_keeps_it_off(
    operator: Operator, hook: Receiver, pool: Pool
) -> None:
    """The look for what is ours to deliver to waits for whoever changes an endpoint."""
    hook.misbehave = gone = Asked()
    endpoint = await _one_event(operator, hook, pool)
    await gone.asked.wait()

    async def both_wait() -> bool:
        return int(await pool.fetchval(WAITING)) == 2

    async with pool.transaction() as connection:
        with acting(Actor("service", "a test")):  # the next entry waits for this one
            await record(connection, "test.begun", "test/1")
        gone.answer.set()
        await until(both_wait)

    async def off() -> bool:
        return not (await operator.get(endpoint))["enabled"]

    await until(off)
    assert hook.taken == []


async def test_it_is_left_alone_for_as_long_as_it_asks(
    operator: Operator, hook: Receiver, pool: Pool
) -> None:
    busy = web.Response(status=503, headers={"Retry-After": "2"})
    hook.misbehave = Once(busy)
    await _one_event(operator, hook, pool)
    await hook.until(lambda: len(hook.got) == 2)
    await bonus(pool, await new_user(pool))
    await hook.takes(2)
    challenge, first, second, _ = hook.got
    assert challenge.event["type"] == "webhook.challenge"
    assert second.at - first.at >= 2


async def test_a_time_to_wait_that_no_clock_has_is_as_none(
    operator: Operator, hook: Receiver, pool: Pool
) -> None:
    never = "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"
    hook.misbehave = Once(web.Response(status=503, headers={"Retry-After": never}))
    endpoint = await _one_event(operator, hook, pool)
    await hook.takes(1)
    assert await until(lambda: _lines_with(operator, endpoint, 503))


class Reset(Once):
    async def first(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()


async def test_a_connection_that_is_reset_is_a_failure(
    operator: Operator, hook: Receiver, pool: Pool
) -> None:
    hook.misbehave = Reset()
    endpoint = await _one_event(operator, hook, pool)
    await hook.takes(1)
    lines = await until(lambda: _lines_with(operator, endpoint, 0))
    assert lines[0]["error"]


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\nLocation: /SECRET\r\n"]
)
async def test_what_an_address_hides_is_told_to_nobody_who_reads(
    answer: bytes, app: App, operator: Operator, hook: Receiver, pool: Pool
) -> None:
    """Nor where something speaks there that is no HTTP, or not whole."""

    async def babbles(request: web.Request, _event: Json) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.write(answer)
        request.transport.close()
        return web.Response()

    hook.misbehave = babbles
    endpoint = await operator.add(f"{hook.url}/SECRET?token=SECRET")
    reader = await token(pool, "read")
    await bonus(pool, await new_user(pool))

    async def concern() -> str:
        _, now = await ask(app, "GET", "/v1/now", reader)
        return " ".join(one["words"] for one in now["attention"])

    said = await until(concern)
    assert f"Webhook {endpoint['id']}" in said
    assert "takes nothing" in said
    tested = await operator.ask("POST", f"/{endpoint['id']}/test")
    for told in (said, tested, await operator.log(endpoint)):
        assert "SECRET" not in str(told)


class Endless(Once):
    """An answer without an end."""

    def __init__(self) -> None:
        super().__init__()
        self.cut = asyncio.Event()

    async def first(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65_536)
        except ConnectionError:
            self.cut.set()
            raise


async def test_an_answer_without_an_end_is_cut(
    operator: Operator, hook: Receiver, pool: Pool
) -> None:
    hook.misbehave = endless = Endless()
    endpoint = await _one_event(operator, hook, pool)
    async with asyncio.timeout(30):
        await endless.cut.wait()
    assert (await _line(operator, endpoint))["status"] == 200


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "WITHIN", 0.3)


class Hang(Once):
    async def first(self, request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        return web.Response()


class Drip(Once):
    """An answer that comes a byte at a time."""

    async def first(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(0.05)


async def _is_on(operator: Operator, endpoint: Json) -> bool:
    """Its challenge may take too long as well, as a first connection does."""
    if endpoint["enabled"]:
        return True
    found = await operator.ask("POST", f"/{endpoint['id']}/enable")
    return bool(found["enabled"])


@pytest.mark.parametrize("kind", [Hang, Drip])
async def test_one_that_never_ends_is_tried_again(
    kind: type[Once],
    impatient: None,
    operator: Operator,
    hook: Receiver,
    pool: Pool,
) -> None:
    hook.misbehave = kind()
    endpoint = await _one_event(operator, hook, pool)
    await until(lambda: _is_on(operator, endpoint))
    await hook.takes(1)
    lines = await until(lambda: _lines_with(operator, endpoint, 0))
    assert lines[0]["error"] == "no answer in time"
