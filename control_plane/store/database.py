"""The pool of connections, and the migrations."""

from importlib import resources
from typing import TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = (
    "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
)
#: What a single query can be run on.
Executor: TypeAlias = "Connection | Pool"

#: Any constant will do, as long as nobody else uses it on this database.
MIGRATION_LOCK = 7_130_151_204_981

#: What a caller sees when Postgres is away or too slow.
AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
)


async def open_pool(url: str, size: int = 10) -> Pool:
    """Connect; at most ``size`` connections, each query at most 10 s. A few are
    opened at once: an auth look-up has no time to wait for a new one."""
    return await asyncpg.create_pool(
        url,
        min_size=min(4, size),
        max_size=size,
        command_timeout=10.0,
        timeout=5.0,
        server_settings={"timezone": "UTC", "application_name": "control-plane"},
    )


def migrations() -> list[tuple[str, str]]:
    """Names and texts of all migrations, in the order they are applied."""
    folder = resources.files("control_plane.store") / "migrations"
    files = [file for file in folder.iterdir() if file.name.endswith(".sql")]
    return sorted((file.name, file.read_text("utf-8")) for file in files)


async def migrate(url: str) -> list[str]:
    """Apply what is missing and say which; safe while other replicas do the same."""
    connection = await asyncpg.connect(url, timeout=5.0)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
        return await _apply_missing(connection)
    finally:
        await connection.close()


async def _apply_missing(connection: Connection) -> list[str]:
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations ("
        "name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    rows = await connection.fetch("SELECT name FROM schema_migrations")
    done = {row["name"] for row in rows}
    missing = [(name, sql) for name, sql in migrations() if name not in done]
    for name, sql in missing:
        async with connection.transaction():
            await connection.execute(sql)
            await connection.execute(
                "INSERT INTO schema_migrations (name) VALUES ($1)", name
            )
    return [name for name, _ in missing]
