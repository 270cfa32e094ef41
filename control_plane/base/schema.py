"""The tables: what is missing is made at start, by whoever comes first."""

from importlib import resources

import asyncpg

from control_plane.base.database import RawConnection, translated

#: Any constant will do, as long as nobody else uses it on this database.
MIGRATION_LOCK = 7_130_151_204_981


def migrations() -> list[tuple[str, str]]:
    """Names and texts of all migrations, in the order they are applied."""
    folder = resources.files("control_plane.base") / "migrations"
    files = [file for file in folder.iterdir() if file.name.endswith(".sql")]
    return sorted((file.name, file.read_text("utf-8")) for file in files)


async def migrate(url: str) -> list[str]:
    """Apply what is missing and say which; safe while other replicas do the same."""
    with translated():
        connection = await asyncpg.connect(url, timeout=5.0)
        try:
            await connection.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
            return await _apply_missing(connection)
        finally:
            await connection.close()


async def _apply_missing(connection: RawConnection) -> list[str]:
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
