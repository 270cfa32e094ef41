"""Postgres as it is where another has taken the last connection."""

import contextlib
from collections.abc import AsyncIterator

import asyncpg

from control_plane.base.database import Pool


@contextlib.asynccontextmanager
async def closed(owner: Pool, url: str) -> AsyncIterator[None]:
    """It ends all connections of the service, and takes no other."""
    name = await owner.fetchval("SELECT current_database()")
    worker = await asyncpg.connect(url, server_settings={"application_name": "other"})
    try:
        await owner.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 0")
        await worker.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename ="
            " current_user AND datname = current_database() AND pid <> pg_backend_pid()"
        )
        yield
    finally:
        await owner.execute(f"ALTER DATABASE {name} CONNECTION LIMIT -1")
        await worker.close()
