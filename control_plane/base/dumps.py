"""A database into a file and back, by Postgres's own programs."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from control_plane.base.database import Connection, open_pool
from control_plane.base.hosts import primary

LONGEST = 3600.0  # seconds that counting a table may take

_TABLES = """
    SELECT quote_ident(relname) FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace
        AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname
"""


class DumpFailed(Exception):
    """The text is a sentence for people."""


@dataclass(frozen=True)
class Dump:
    """``folder``: where pg_dump and pg_restore are; None: on PATH."""

    url: str
    folder: Path | None = None

    async def save(self, file: Path) -> dict[str, int]:
        """How many rows of each table are in the file: those that were committed in
        one moment. Raises DumpFailed."""
        async with _looking(self.url) as connection:
            snapshot = await connection.fetchval("SELECT pg_export_snapshot()")
            options = ("--format=custom", f"--snapshot={snapshot}", f"--file={file}")
            await self._run("pg_dump", *options)
            return await _counts(connection)

    async def load(self, file: Path) -> dict[str, int]:
        """Whole or not at all, into a database without tables; the rows that are there
        now. Raises DumpFailed."""
        async with _looking(self.url) as connection:
            if await connection.fetch(_TABLES):
                raise DumpFailed("The database has tables already: name an empty one.")
        options = ("--exit-on-error", "--single-transaction", "--no-owner", str(file))
        await self._run("pg_restore", *options)
        async with _looking(self.url) as connection:
            return await _counts(connection)

    async def _run(self, name: str, *options: str) -> None:
        # Of several servers libpq would take the first that answers.
        url, password = _apart(await primary(self.url))
        process = await asyncio.create_subprocess_exec(
            *(self._program(name), "--no-password", f"--dbname={url}", *options),
            env=os.environ | ({"PGPASSWORD": password} if password else {}),
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            _, said = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        if process.returncode:
            raise DumpFailed(said.decode(errors="replace").strip() or f"{name} failed.")

    def _program(self, name: str) -> str:
        found = shutil.which(name, path=None if self.folder is None else self.folder)
        if found is None:
            raise DumpFailed(f"{name} was not found: install postgresql-client.")
        return found


@asynccontextmanager
async def _looking(url: str) -> AsyncIterator[Connection]:
    """At one moment."""
    async with (
        open_pool(url, 1) as pool,
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield connection


async def _counts(connection: Connection) -> dict[str, int]:
    return {
        row[0]: await connection.fetchval(
            f"SELECT count(*) FROM {row[0]}",  # noqa: S608
            within=LONGEST,
        )
        for row in await connection.fetch(_TABLES)
    }


def _apart(url: str) -> tuple[str, str]:
    """The password apart: the process list shows what a program is started with."""
    parts = urlsplit(url)
    user, at, hosts = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    return urlunsplit(parts._replace(netloc=name + at + hosts)), unquote(password)


def differences(before: Mapping[str, int], now: Mapping[str, int]) -> list[str]:
    """Tables that do not have as many rows."""
    names = sorted(before.keys() | now.keys())
    return [name for name in names if before.get(name) != now.get(name)]
