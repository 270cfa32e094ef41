"""Everybody who watches at a node, as its client tells."""

from collections.abc import Sequence

from mediamtx.client import Client
from mediamtx.payloads import Listed, View


async def look(client: Client) -> tuple[View, list[Listed]]:
    readers: list[Listed] = []

    async def take(some: Sequence[Listed]) -> None:
        readers.extend(some)

    return await client.look(take), readers
