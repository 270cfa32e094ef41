"""Phones that an app was started on, signed in or not."""

from control_plane.base.database import Executor
from control_plane.people.model.social import Device


async def register(executor: Executor, key: str) -> Device:
    """The same row each time."""
    row = await executor.fetchrow(
        """
        INSERT INTO devices (key) VALUES ($1)
        ON CONFLICT (key) DO UPDATE SET key = excluded.key
        RETURNING id, key, created_at
        """,
        key,
    )
    if row is None:
        raise LookupError(key)
    return Device(**dict(row))
