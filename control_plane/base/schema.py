"""The tables: what is missing is made at start, by whoever comes first. What takes away
something that the version before still uses waits until it is asked for."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib import resources
from typing import NamedTuple, TypeAlias

import asyncpg

from control_plane.base.database import RawConnection, translated
from control_plane.base.hosts import connect

#: Postgres's version; the one before knows no NULLS NOT DISTINCT.
OLDEST = 15
#: Any constant will do, as long as nobody else uses it on this database.
MIGRATION_LOCK = 7_130_151_204_981
#: How the names of those end that wait until no earlier version runs any more.
POST = ".post.sql"
#: The migrations of 0.1.0, whose tables were others.
FIRST_VERSION = frozenset({"0001_core.sql", "0002_money.sql", "0003_app.sql"})

#: Names and texts, in their order.
Migrations: TypeAlias = Sequence[tuple[str, str]]


class MayNotMigrate(Exception):
    """The text is a sentence for people."""


class Migrated(NamedTuple):
    """By name. ``waiting``: for ``post``."""

    applied: list[str]
    waiting: list[str]


def migrations() -> Migrations:
    """All, in the order they are applied."""
    folder = resources.files("control_plane.base") / "migrations"
    files = [file for file in folder.iterdir() if file.name.endswith(".sql")]
    files.sort(key=lambda file: (file.name.partition(".")[0], file.name.endswith(POST)))
    return [(file.name, file.read_text("utf-8")) for file in files]


async def migrate(
    url: str,
    service_url: str = "",
    *,
    post: bool = False,
    known: Migrations | None = None,
) -> Migrated:
    """Apply what is missing; safe while other replicas do the same, and while the
    version before runs, unless ``post``: then also what would break that one. On an
    empty database nothing waits.

    ``service_url``: of the service's role, where that is not the one that owns the
    tables. It is granted what it needs. ``known``: instead of our own. Raises
    MayNotMigrate.
    """
    known = migrations() if known is None else known
    with translated():
        service = await _role(service_url) if service_url else ""
        async with _locked(url) as connection:
            _is_new_enough(connection)
            migrated = await _apply_missing(connection, known, post=post)
            await _prepare_log(connection)
            if service and service != await connection.fetchval("SELECT current_user"):
                await _grant(connection, service)
    return migrated


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


def _is_new_enough(connection: RawConnection) -> None:
    version = connection.get_server_version().major
    if version < OLDEST:
        raise MayNotMigrate(f"This is Postgres {version}; {OLDEST} or newer is needed.")


async def _apply_missing(
    connection: RawConnection, known: Migrations, *, post: bool
) -> Migrated:
    done = await applied(connection)
    if done & FIRST_VERSION:
        raise MayNotMigrate(
            "This database is one of version 0.1.0, whose tables were others: name a"
            " new one, and `control-plane upgrade` copies it there (docs/deploy.md,"
            ' "Upgrade from 0.1.0").'
        )
    missing = [(name, sql) for name, sql in known if name not in done]
    waits = bool(done) and not post
    due = [(name, sql) for name, sql in missing if not (waits and name.endswith(POST))]
    for name, sql in due:
        async with connection.transaction():
            await connection.execute(sql)
            await connection.execute(
                "INSERT INTO schema_migrations (name) VALUES ($1)", name
            )
    names = [name for name, _ in due]
    return Migrated(names, [name for name, _ in missing if name not in names])


async def applied(connection: RawConnection) -> set[str]:
    """By name. Asked first: who may not make a table may find that all is there."""
    if not await connection.fetchval("SELECT to_regclass('schema_migrations')"):
        await connection.execute(
            "CREATE TABLE schema_migrations ("
            "name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
    rows = await connection.fetch("SELECT name FROM schema_migrations")
    return {row["name"] for row in rows}


async def begin_anew(url: str) -> None:
    """Of a database that was restored: what was told after it was saved keeps its ids,
    and who came after it was saved has signed in to nobody's account. As the tables'
    owner."""
    with translated():
        connection = await connect(url)
        try:
            await connection.execute("SELECT skip_event_ids(), outdate_what_is_lost()")
        finally:
            await connection.close()


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
