"""Counting what is said to Postgres, on the way to it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlencode, urlsplit, urlunsplit

#: What a client waits for the end of: a simple query, and a synchronisation.
ROUND_TRIPS = (b"Q", b"S")
START = (3 << 16).to_bytes(4, "big")  # the protocol's version, in the first message


@dataclass
class Counted:
    """``url``: Postgres through us. ``seen``: round trips so far."""

    url: str
    seen: int = 0


@contextlib.asynccontextmanager
async def counted(url: str, folder: Path) -> AsyncIterator[Counted]:
    """``folder``: for our socket; its path must be short."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    there = unquote(query["host"][0]) if "host" in query else ""
    port = parts.port or int(query.get("port", ["5432"])[0])
    query["host"] = [str(folder)]
    found = Counted(urlunsplit(parts._replace(query=urlencode(query, doseq=True))))

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_postgres = await (
            asyncio.open_unix_connection(f"{there}/.s.PGSQL.{port}")
            if there.startswith("/")
            else asyncio.open_connection(there or parts.hostname, port)
        )
        back = asyncio.create_task(_copy(to_postgres[0], writer))
        try:
            await _count(reader, to_postgres[1], found)
        finally:
            to_postgres[1].close()
            await back

    server = await asyncio.start_unix_server(relay, folder / f".s.PGSQL.{port}")
    async with server:
        yield found


async def _count(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, found: Counted
) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        started = False
        while True:
            kind = await reader.readexactly(1) if started else b""
            length = await reader.readexactly(4)
            body = await reader.readexactly(int.from_bytes(length, "big") - 4)
            started = started or body.startswith(START)
            found.seen += kind in ROUND_TRIPS
            writer.write(kind + length + body)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while some := await reader.read(65_536):
            writer.write(some)
    writer.close()
