"""The nodes' listener speaks HTTP as nodes do, and nothing else."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from control_plane.base.tasks import Loop
from control_plane.web.accepting import AT_ONCE
from control_plane.web.accepting import listening as sockets_at
from control_plane.web.serving import to_nodes
from hooks import connection
from hooks.connection import Connections
from hooks.heads import Heads
from hooks.messages import Answer, Request
from hooks.parsing import MOST_AT_ONCE

POST = b"POST /ask HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s"
EMPTY = b"Content-Length: 0\r\n"


def test_a_part_of_a_head_that_is_known_is_no_request() -> None:
    heads, part = Heads(), b"GET /ask HTTP/1.1\r\nHost: a"
    whole = heads.only_request(part + b"\r\n\r\n")
    assert whole is not None
    assert heads.only_request(part) is None
    assert heads.only_request(part + b"\r\n\r\n") == whole


@contextlib.asynccontextmanager
async def listening(connections: Connections) -> AsyncIterator[int]:
    with sockets_at("127.0.0.1", 0) as sockets:
        async with to_nodes(connections, sockets):
            yield sockets[0].getsockname()[1]


async def said(port: int, *parts: bytes, close: bool = True) -> bytes:
    """All that is answered until the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    if close:
        writer.write_eof()
    async with asyncio.timeout(60.0):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


class Seen:
    """What the listener passed on; each answer's body is the request's."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Answer:
        self.requests.append(request)
        return Answer(200, request.body, b"text/plain")


async def test_however_many_wait_when_it_ends_are_answered() -> None:
    """Calls of nodes, which take a broken connection for a refusal."""
    with contextlib.ExitStack() as waiting:
        async with listening(Connections(Seen())) as port:
            clients = [
                waiting.enter_context(socket.create_connection(("127.0.0.1", port)))
                for _ in range(3 * AT_ONCE)
            ]
            for one in clients:
                one.sendall(POST % (5, b"hello"))
        for one in clients:
            one.settimeout(60.0)
            assert one.recv(1000).endswith(b"hello")


async def test_a_request_in_any_pieces() -> None:
    seen = Seen()
    whole = POST % (5, b"hello")
    async with listening(Connections(seen)) as port:
        for size in (1, 2, 7, len(whole)):
            pieces = [whole[i : i + size] for i in range(0, len(whole), size)]
            assert (await said(port, *pieces)).endswith(b"\r\n\r\nhello")
    assert {request.path for request in seen.requests} == {b"/ask"}


CHUNKED = (
    b"POST /ask HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nabc\r\n2;more=1\r\nde\r\n0\r\n%s\r\n"
)


async def test_chunked_bodies() -> None:
    async with listening(Connections(Seen())) as port:
        assert (await said(port, CHUNKED % b"")).endswith(b"\r\n\r\nabcde")


async def test_what_follows_a_body_proves_nobody() -> None:
    """Whatever stands before us has looked at the head only."""
    seen = Seen()
    trailers = b"Authorization: Basic eA==\r\nExpect: 100-continue\r\nB: c\r\n"
    async with listening(Connections(seen)) as port:
        assert (await said(port, CHUNKED % trailers)).endswith(b"\r\n\r\nabcde")
    assert seen.requests[0].authorization == b""


EXPECTING = b"POST /ask HTTP/1.1\r\nHost: a\r\nExpect: %s\r\nContent-Length: 2\r\n\r\n"


async def test_a_body_that_waits_for_a_word_of_ours() -> None:
    async with listening(Connections(Seen())) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(60.0):
            writer.write(EXPECTING % b"100-continue")
            told = await reader.readuntil(b"\r\n\r\n")
            assert told == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"ok")
            assert (await reader.readuntil(b"\r\n\r\nok")).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_a_body_that_did_not_wait_is_answered_only() -> None:
    async with listening(Connections(Seen())) as port:
        answer = await said(port, EXPECTING % b"100-continue" + b"ok")
    assert answer.startswith(b"HTTP/1.1 200")


async def test_a_body_that_never_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "WHOLE_WITHIN", 0.0)
    connections = Connections(Seen())
    sweeping = Loop("trial sweep", _nothing(connections.sweep), interval=0.01)
    async with listening(connections) as port, sweeping.running():
        answer = await said(port, EXPECTING % b"100-continue", close=False)
    assert b"HTTP/1.1 408 " in answer
    assert answer.endswith(b"Connection: close\r\n\r\n")


async def test_pipelined_requests_are_answered_in_their_order() -> None:
    """Also when one of them has to wait for something."""
    gate = asyncio.Event()

    async def wait() -> Answer:
        await gate.wait()
        return Answer(200, b"slow", b"text/plain")

    def answer(request: Request) -> "Answer | asyncio.Task[Answer]":
        if request.body == b"slow":
            asyncio.get_running_loop().call_later(0, gate.set)
            return asyncio.ensure_future(wait())
        return Answer(200, request.body, b"text/plain")

    bodies = [b"one", b"slow", b"two", b"three"]
    async with listening(Connections(answer)) as port:
        answers = await said(port, b"".join(POST % (len(b), b) for b in bodies))
    found = [part.partition(b"HTTP/1.1")[0] for part in answers.split(b"\r\n\r\n")[1:]]
    assert found == bodies


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"hello\r\n\r\n", b"400"),
        (b"POST /ask SPDY/9\r\n\r\n", b"400"),
        (b"POST /ask HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"400"),
        (
            b"POST /ask HTTP/1.1\r\nContent-Length: 2\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"400",
        ),
        (b"POST /ask HTTP/1.1\r\nA: " + b"a" * 90_000, b"413"),
        (POST % (70_000, b"a" * 70_000), b"413"),
        (b"POST /" + b"a" * 90_000, b"413"),
        (EXPECTING % b"more", b"417"),
        (b"POST /ask HTTP/2.0\r\nContent-Length: 0\r\n\r\n", b"400"),
        (b"POST /ask\r\n\r\n", b"400"),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", b"400"),
        (
            b"POST /ask HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
            b"Content-Length: 2\r\n\r\nok",
            b"400",
        ),
        (
            b"POST /ask HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
            b"400",
        ),
    ],
)
async def test_what_no_node_sends_is_refused_and_closed(
    request_bytes: bytes, status: bytes
) -> None:
    seen = Seen()
    async with listening(Connections(seen)) as port:
        answer = await said(port, request_bytes, close=False)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"Connection: close\r\n" in answer
    assert not seen.requests


@pytest.mark.parametrize(
    ("limit", "sent", "answer"),
    [("WHOLE_WITHIN", b"POST /a", b"HTTP/1.1 408"), ("IDLE_FOR", b"", b"")],
)
async def test_a_connection_that_is_late_is_closed(
    monkeypatch: pytest.MonkeyPatch, limit: str, sent: bytes, answer: bytes
) -> None:
    monkeypatch.setattr(connection, limit, 0.0)
    connections = Connections(Seen())
    sweeping = Loop("trial sweep", _nothing(connections.sweep), interval=0.01)
    async with listening(connections) as port, sweeping.running():
        assert (await said(port, sent, close=False))[:12] == answer


def _nothing(work: Callable[[], None]) -> Callable[[], Awaitable[None]]:
    async def done() -> None:
        work()

    return done


async def test_a_request_after_a_pause_has_its_own_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nodes up to v1.16.0 keep their connections."""
    monkeypatch.setattr(connection, "WHOLE_WITHIN", 0.2)
    seen, whole = Seen(), POST % (2, b"ok")
    connections = Connections(seen)
    async with listening(connections) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(60.0):
            writer.write(whole)
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
            await asyncio.sleep(0.4)  # the pause
            (served,) = connections.open
            served.data_received(whole[:9])
            connections.sweep()
            writer.write(whole[9:])
            assert (await reader.readuntil(b"\r\n\r\nok")).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_a_failure_is_an_answer() -> None:
    async def later() -> Answer:
        raise ValueError

    def now(_: Request) -> Answer:
        raise ValueError

    for broken in (lambda _: later(), now):
        async with listening(Connections(broken)) as port:
            for sent in (POST % (0, b""), POST % (0, b"") * 2):
                answer = await said(port, sent)
                assert answer.startswith(b"HTTP/1.1 503")


async def test_what_is_left_to_do_fails_alone() -> None:
    def fail() -> None:
        raise ValueError

    async with listening(Connections(lambda _: Answer(200, after=fail))) as port:
        assert (await said(port, POST % (0, b""))).startswith(b"HTTP/1.1 200")
        answers = await said(port, POST % (0, b"") * 2)
    assert answers.count(b"HTTP/1.1 200") == 2


async def test_a_call_that_comes_whole_is_answered_and_hung_up() -> None:
    """So the port that it came from is free again at once, on the node's side."""
    async with listening(Connections(lambda _: Answer(200))) as port:
        answer = await said(port, POST % (2, b"ok"), close=False)
        in_pieces = await said(port, POST[:9], POST[9:] % (2, b"ok"))
    assert answer == b"HTTP/1.1 200 OK\r\n" + EMPTY + b"Connection: close\r\n\r\n"
    assert in_pieces.startswith(b"HTTP/1.1 200 OK\r\n" + EMPTY)


async def test_a_head_that_is_known_already() -> None:
    seen = Seen()
    whole = [POST % (5, body) for body in (b"hello", b"world", b"again")]
    async with listening(Connections(seen)) as port:
        for one in whole:
            await said(port, one)
        await said(port, whole[0][:-1], whole[0][-1:])
        await said(port, whole[0] + whole[1])
        for other in (b"Content-Length: 6", b"content-length: 5"):
            await said(port, whole[0].replace(b"Content-Length: 5", other), b"!")
        await said(port, CHUNKED % b"")
        await said(port, CHUNKED % b"")
    bodies = [request.body for request in seen.requests]
    assert bodies[:3] == [b"hello", b"world", b"again"]
    assert bodies[3:6] == [b"hello", b"hello", b"world"]
    assert bodies[6:] == [b"hello!", b"hello", b"abcde", b"abcde"]


async def test_what_was_asked_before_nonsense_is_answered() -> None:
    async with listening(Connections(Seen())) as port:
        answers = await said(port, POST % (2, b"ok") + b"\x00\x01", close=False)
    first, _, second = answers.partition(b"\r\n\r\nok")
    assert first.startswith(b"HTTP/1.1 200")
    assert second.startswith(b"HTTP/1.1 400")


async def test_the_older_version_is_answered_and_closed() -> None:
    """Balancers speak it."""
    old = b"POST /ask HTTP/1.0\r\nContent-Length: 2\r\n\r\nok"
    async with listening(Connections(Seen())) as port:
        for sent in ((old,), (old[:20], old[20:])):
            answer = await said(port, *sent, close=False)
            assert answer.startswith(b"HTTP/1.1 200")
            assert b"Connection: close\r\n" in answer


async def test_a_head_alone_is_answered_without_a_body() -> None:
    async with listening(Connections(lambda _: Answer(200, b"ok", b"text/plain"))) as p:
        asked = b"HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
        assert (await said(p, asked)).endswith(b"Content-Length: 2\r\n\r\n")


async def test_a_flood_in_one_connection_is_cut_short() -> None:
    seen = Seen()
    async with listening(Connections(seen)) as port:
        with contextlib.suppress(ConnectionResetError):  # it has sent more by then
            await said(port, POST % (0, b"") * 200, close=False)
    assert len(seen.requests) == MOST_AT_ONCE
