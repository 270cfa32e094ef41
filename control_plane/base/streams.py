"""Reading a whole body: one read gives what has arrived, often not all of it."""

from typing import Protocol


class Readable(Protocol):
    async def read(self, n: int, /) -> bytes:
        """Up to ``n`` bytes; none at the end."""
        ...


async def whole(stream: Readable, most: int) -> bytes | None:
    """None: longer than ``most`` bytes. Then the rest is left unread."""
    body = bytearray()
    while len(body) <= most:
        chunk = await stream.read(most + 1 - len(body))
        if not chunk:
            return bytes(body)
        body += chunk
    return None
