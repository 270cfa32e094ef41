"""The nodes' listener speaks HTTP as nodes do, and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from control_plane.base.tasks import Loop
from hooks import connection
from hooks.connection import Answer, Connections, Request

POST = b"POST /ask HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s"
EMPTY = b"Content-Length: 0\r\n"


@asynccontextmanager
async def listening(connections: Connections) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(connections.new, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await connections.drain(1.0)


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


async def test_a_request_in_any_pieces() -> None:
    seen = Seen()
    whole = POST % (5, b"hello")
    async with listening(Connections(seen)) as port:
        for size in (1, 2, 7, len(whole)):
            pieces = [whole[i : i + size] for i in range(0, len(whole), size)]
            assert (await said(port, *pieces)).endswith(b"\r\n\r\nhello")
    assert {request.path for request in seen.requests} == {b"/ask"}


async def test_chunked_bodies_and_expectations() -> None:
    chunked = (
        b"POST /ask HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    expecting = (
        b"POST /ask HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
        b"Content-Length: 2\r\n\r\n"
    )
    async with listening(Connections(Seen())) as port:
        assert (await said(port, chunked)).endswith(b"\r\n\r\nabcde")
        answer = await said(port, expecting, b"ok")
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


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
        (POST % (70_000, b"a" * 70_000), b"4"),
        (b"POST /" + b"a" * 90_000, b"413"),
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
    async def broken() -> Answer:
        raise ValueError

    async with listening(Connections(lambda _: broken())) as port:
        assert (await said(port, POST % (0, b""))).startswith(b"HTTP/1.1 503")
