"""Ending background tasks for certain."""

import asyncio
from collections.abc import Iterable

AGAIN = 1.0  # seconds


async def stop(tasks: Iterable["asyncio.Task[None]"]) -> None:
    """Cancel them until they have ended. Once is not always enough: before Python
    3.12 ``asyncio.wait_for``, which asyncpg waits with, can lose a cancellation that
    comes in the same moment as its result."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN)
