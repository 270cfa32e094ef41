"""Postgres's socket as a port: behind it, everybody is whoever runs the tests. While
the server is away, connections are closed at once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

from control_plane.base.tasks import stop
from tests.support.ports import free_ports


@contextlib.asynccontextmanager
async def by_port(url: str) -> AsyncIterator[str]:
    """The URL with a port of ours, if it names a socket."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    if "host" not in query:
        yield url
        return
    path = f"{query['host'][0]}/.s.PGSQL.{query['port'][0]}"
    (port,) = free_ports(1)

    relays: set[asyncio.Task[None]] = set()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            theirs, ours = await asyncio.open_unix_connection(path)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pour(reader, ours), _pour(theirs, writer))

    def start(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        relays.add(asyncio.create_task(relay(reader, writer)))

    try:
        async with await asyncio.start_server(start, "127.0.0.1", port):
            at = f"127.0.0.1:{port}{parts.path}"
            yield f"postgresql://{parts.username}@{at}?sslmode=disable"
    finally:
        await stop(relays)


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
    finally:
        writer.close()
