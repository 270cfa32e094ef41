"""Clients that open connections and do not use them as others do."""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from control_plane.config.settings import Settings
from control_plane.web import connections, serving
from control_plane.web.connections import Room, room
from tests.support.api import API, App, running
from tests.support.process import Process
from tests.support.stack import Stack, until

SOON = 0.4  # seconds
WITHIN = 60.0  # seconds, for what should take as long as SOON
DESCRIPTORS = 256


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEAD_WITHIN", "BODY_WITHIN", "IDLE"):
        monkeypatch.setattr(connections, name, SOON)
    monkeypatch.setattr(serving, "IDLE", SOON)


@contextlib.asynccontextmanager
async def connected(
    app: App,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    address = urlsplit(app.base)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def hung_up(reader: asyncio.StreamReader) -> bytes:
    """What came before the end. TimeoutError when it does not end."""
    async with asyncio.timeout(WITHIN):
        with contextlib.suppress(ConnectionError):
            return await reader.read()
    return b""


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"\r\n",
        b"POST /api/showSettings HTTP/1.1\r\nHost: a\r\n",
        b"POST /api/showSettings HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{",
        b"POST /api/watch HTTP/1.1\r\nHost: a\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n9\r\n1",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz HTTP",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
@pytest.mark.usefixtures("impatient")
async def test_half_a_request_is_not_waited_for(
    app: App, begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    if begun.startswith(b"GET"):  # Whole, so that when it comes is not the question.
        monkeypatch.setattr(connections, "HEAD_WITHIN", WITHIN / 2)
    async with connected(app) as (reader, writer):
        writer.write(begun)
        answered = await hung_up(reader)
    assert answered.count(b"HTTP/1.1 200 OK") == begun.startswith(b"GET")


@pytest.mark.usefixtures("impatient")
async def test_a_head_that_drips_is_not_waited_for(app: App) -> None:
    async with connected(app) as (reader, writer):

        async def drip() -> None:
            with contextlib.suppress(ConnectionError):
                writer.write(b"GET / HTTP/1.1\r\n")
                while True:
                    writer.write(b"A: b\r\n")
                    await writer.drain()
                    await asyncio.sleep(SOON / 4)

        dripping = asyncio.create_task(drip())
        assert await hung_up(reader) == b""
        dripping.cancel()


@pytest.mark.usefixtures("impatient")
async def test_who_only_listens_may_stay(app: App) -> None:
    """Longer than any of the deadlines."""
    async with connected(app) as (reader, writer), connected(app) as (idle, _):
        writer.write(b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"text/event-stream" in await reader.readuntil(b"\r\n\r\n")
        await hung_up(idle)
        await asyncio.sleep(SOON)
        ann = await app.sign_in("ann")
        await ann.ask("liveStream", {})
        assert not reader.at_eof()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(SOON):
                await reader.readuntil(b"nothing of the kind")


@pytest.mark.usefixtures("impatient")
async def test_a_slow_download_comes_whole(wanted: Settings, tmp_path: Path) -> None:
    size = 8_000_000
    (tmp_path / "long.mp4").write_bytes(bytes(size))
    async with running(
        wanted.model_copy(update={"media_folder": tmp_path}), API
    ) as app:
        address = urlsplit(app.base)
        reader, writer = await asyncio.open_connection(
            address.hostname, address.port, limit=4096
        )
        writer.write(b"GET /media/long.mp4 HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(3 * SOON)
        async with asyncio.timeout(WITHIN):
            assert len(await reader.readexactly(size)) == size
        writer.close()


async def test_who_takes_nothing_is_given_up(
    wanted: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "TAKEN_WITHIN", 1.0)
    size = 30_000_000
    (tmp_path / "long.mp4").write_bytes(bytes(size))
    async with running(
        wanted.model_copy(update={"media_folder": tmp_path}), API
    ) as app:
        address = urlsplit(app.base)
        with socket.create_connection((address.hostname, address.port)) as one:
            one.sendall(b"GET /media/long.mp4 HTTP/1.1\r\nHost: a\r\n\r\n")

            async def gone() -> bool:
                return not await asyncio.to_thread(_established, one)

            await until(gone, WITHIN)


def _established(one: socket.socket) -> bool:
    """As the kernel lists it: reading would be to take something."""
    of, state = one.getsockname()[1], "01"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(
        int(remote.rpartition(":")[2], 16) == of and now == state
        for _, _, remote, now, *_ in map(str.split, lines)
    )


@pytest.mark.parametrize(
    ("descriptors", "expected"),
    [
        (256, Room(64, 32)),
        (1024, Room(256, 32)),
        (65_536, Room(32_256, 4032)),
        (40, Room(16, 32)),
    ],
)
def test_descriptors_are_kept_for_the_nodes(descriptors: int, expected: Room) -> None:
    assert room(descriptors) == expected


async def test_a_flood_leaves_the_nodes_alone(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """With few descriptors, from one address and then from many."""
    async with (
        Stack("sandbox", tmp_path, database_url, redis_url) as stack,
        few_descriptors(stack, tmp_path) as service,
    ):
        internal = f"http://127.0.0.1:{stack.ports['INTERNAL']}/healthz"
        await until(lambda: answers(internal))
        await until(lambda: answers(f"{stack.base}/healthz"))
        with contextlib.ExitStack() as flood:
            one = [connect(flood, stack, "127.0.0.2") for _ in range(300)]
            refused = asyncio.gather(*(closed(each, 20.0) for each in one))
            assert await answers(f"{stack.base}/healthz")
            many = [connect(flood, stack, f"127.0.1.{n % 50 + 1}") for n in range(300)]
            for _ in range(20):
                assert await answers(internal)
            waiting = many[-1]  # there was no room: it stands in the backlog
            assert not await closed(waiting, 1.0)
            assert sum(await refused) >= 300 - room(DESCRIPTORS).each
        await until(lambda: answers(f"{stack.base}/healthz"), WITHIN)
        assert service.running
        lines = service.log.read_text().splitlines()
        assert len(lines) < 20, lines


@contextlib.asynccontextmanager
async def few_descriptors(stack: Stack, folder: Path) -> AsyncIterator[Process]:
    command = f"ulimit -n {DESCRIPTORS} && exec {sys.executable} -m control_plane serve"
    env = stack.env | {
        "CONTROL_PLANE_NODE_NAME": "",
        "PATH": os.environ["PATH"],
    }
    log = folder / "service.log"
    service = await Process.start(log, "sh", "-c", command, env=env)
    try:
        yield service
    finally:
        await service.kill()


def connect(flood: contextlib.ExitStack, stack: Stack, source: str) -> socket.socket:
    """Waits in the backlog at worst."""
    one = flood.enter_context(socket.socket())
    one.bind((source, 0))
    one.connect(("127.0.0.1", stack.ports["PUBLIC"]))
    one.setblocking(False)
    return one


async def closed(one: socket.socket, within: float) -> bool:
    """Without having asked anything."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(within):
            return await loop.sock_recv(one, 1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


async def answers(url: str) -> bool:
    wait = aiohttp.ClientTimeout(total=20.0)
    try:
        async with (
            aiohttp.ClientSession(timeout=wait) as http,
            http.get(url) as response,
        ):
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
