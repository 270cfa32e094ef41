"""The tables: what is missing is made at start, by whoever comes first."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources

import asyncpg

from control_plane.base.database import RawConnection, translated
from control_plane.base.hosts import connect

#: Any constant will do, as long as nobody else uses it on this database.
MIGRATION_LOCK = 7_130_151_204_981


class MayNotMigrate(Exception):
    """The text is a sentence for people."""


def migrations() -> list[tuple[str, str]]:
    """Names and texts of all migrations, in the order they are applied."""
    folder = resources.files("control_plane.base") / "migrations"
    files = [file for file in folder.iterdir() if file.name.endswith(".sql")]
    return sorted((file.name, file.read_text("utf-8")) for file in files)


async def migrate(url: str, service_url: str = "") -> list[str]:
    """Apply what is missing and say which; safe while other replicas do the same.

    ``service_url``: of the service's role, where that is not the one that owns the
    tables. It is granted what it needs. Raises MayNotMigrate.
    """
    with translated():
        service = await _role(service_url) if service_url else ""
        async with _locked(url) as connection:
            applied = await _apply_missing(connection)
            await _prepare_log(connection)
            if service and service != await connection.fetchval("SELECT current_user"):
                await _grant(connection, service)
    return applied


async def _role(url: str) -> str:
    connection = await connect(url)
    try:
        return str(await connection.fetchval("SELECT current_user"))
    finally:
        await connection.close()


@asynccontextmanager
async def _locked(url: str) -> AsyncIterator[RawConnection]:
    connection = await connect(url)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
        yield connection
    except asyncpg.InsufficientPrivilegeError as error:
        role = await connection.fetchval("SELECT current_user")
        raise MayNotMigrate(
            f"The tables are not up to date, and {role} may not change them ({error})."
            " CONTROL_PLANE_MIGRATIONS_URL names a role that may."
        ) from None
    finally:
        await connection.close()


async def _apply_missing(connection: RawConnection) -> list[str]:
    done = await _applied(connection)
    missing = [(name, sql) for name, sql in migrations() if name not in done]
    for name, sql in missing:
        async with connection.transaction():
            await connection.execute(sql)
            await connection.execute(
                "INSERT INTO schema_migrations (name) VALUES ($1)", name
            )
    return [name for name, _ in missing]


async def _applied(connection: RawConnection) -> set[str]:
    """Asked first: who may not make a table may find that all is there."""
    if not await connection.fetchval("SELECT to_regclass('schema_migrations')"):
        await connection.execute(
            "CREATE TABLE schema_migrations ("
            "name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
    rows = await connection.fetch("SELECT name FROM schema_migrations")
    return {row["name"] for row in rows}


async def _prepare_log(connection: RawConnection) -> None:
    """Before the first event: those of another server are not confused with ours, and
    the months that come have their partitions."""
    await connection.execute("SELECT settle_event_era()")
    await connection.execute("SELECT make_event_partitions(2)")


async def _grant(connection: RawConnection, role: str) -> None:
    names = await connection.fetchrow(
        "SELECT quote_ident(current_schema()) AS schema, quote_ident($1) AS role", role
    )
    grants = resources.files("control_plane.base") / "grants.sql"
    async with connection.transaction():
        await connection.execute(grants.read_text("utf-8").format(**dict(names or {})))
