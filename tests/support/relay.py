"""Ports that lead elsewhere: to Postgres's socket, behind which everybody is whoever
runs the tests, out of TLS, or to one server after another. While the server is away
they close each connection."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from control_plane.base.tasks import stop
from tests.support.certificates import Authority
from tests.support.ports import free_ports

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.asynccontextmanager
async def by_port(url: str) -> AsyncIterator[str]:
    """The URL with a port of ours, if it names a socket."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    if "host" not in query:
        yield url
        return
    path = f"{query['host'][0]}/.s.PGSQL.{query['port'][0]}"
    async with _relay(lambda: asyncio.open_unix_connection(path)) as port:
        at = f"127.0.0.1:{port}{parts.path}"
        yield f"postgresql://{parts.username}@{at}?sslmode=disable"


@contextlib.asynccontextmanager
async def encrypted(url: str, authority: Authority) -> AsyncIterator[str]:
    """The URL of a Redis with TLS before it, and the authority to trust."""
    parts = urlsplit(url)
    login, at, _ = parts.netloc.rpartition("@")
    tls = authority.context("127.0.0.1", timedelta(days=1))
    to = parts.hostname, parts.port
    async with _relay(lambda: asyncio.open_connection(*to), tls) as port:
        where = f"{login}{at}127.0.0.1:{port}{parts.path}"
        yield f"rediss://{where}?ssl_ca_certs={authority.file}"


@dataclass
class Moving:
    """``port`` leads whoever connects to that of ``to``; who is connected stays."""

    port: int
    to: int


@contextlib.asynccontextmanager
async def moving(to: int) -> AsyncIterator[Moving]:
    found = Moving(0, to)
    async with _relay(lambda: asyncio.open_connection("127.0.0.1", found.to)) as port:
        found.port = port
        yield found


@contextlib.asynccontextmanager
async def _relay(
    connect: Callable[[], Awaitable[Streams]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    (port,) = free_ports(1)
    relays: set[asyncio.Task[None]] = set()
    opened: list[asyncio.StreamWriter] = []
    ended = asyncio.Event()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            theirs, ours = await connect()
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pour(reader, ours), _pour(theirs, writer))

    def start(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if ended.is_set():  # it was taken before, and comes here now
            writer.close()
            return
        opened.append(writer)
        relays.add(asyncio.create_task(relay(reader, writer)))

    try:
        async with await asyncio.start_server(start, "127.0.0.1", port, ssl=tls):
            yield port
    finally:
        ended.set()
        await stop(relays)
        for writer in opened:  # also of one that was stopped before it began
            writer.close()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
    finally:
        writer.close()
