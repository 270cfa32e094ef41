"""Everybody who watches at a node, as its client tells."""

from collections.abc import Sequence

from mediamtx.client import Client
from mediamtx.payloads import Connection, HlsSession, View


async def look(client: Client) -> tuple[View, list[Connection | HlsSession]]:
    readers: list[Connection | HlsSession] = []

    async def take(some: Sequence[Connection | HlsSession]) -> None:
        readers.extend(some)

    return await client.look(take), readers
