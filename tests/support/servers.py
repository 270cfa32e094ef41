"""One Postgres and one Valkey for a whole run and all of its workers.

They are children of a process of their own, this file as a program. It stops them
when its standard input ends, which it does however the run ends.
"""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from control_plane.base.schema import migrate
from deploy.local import postgres
from deploy.local.place import Urls
from deploy.local.valkey import DATABASES, valkey

TEMPLATE = f"template_{os.getpid()}"
#: A worker has a test at a time, which has several services with a pool each.
POSTGRES = {"max_connections": "400", "autovacuum": "off"}
GIVEN_DATABASES = 16  # of a Redis whose settings are not ours
#: A database is a thousand small files: ten times as fast to make in memory.
IN_MEMORY = Path("/dev/shm")  # noqa: S108  (folders in it have names of their own)
ROOM = 3 << 30  # bytes, for a few databases at a time and Postgres's own log


class Servers:
    """From the outside: started at the first look, stopped by ``stop``."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._said: Mapping[str, str] = {}

    def urls(self) -> Mapping[str, str]:
        """``service`` and ``owner``: Postgres for either role; ``template``: a migrated
        database in it; ``valkey``."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,  # Ctrl-C ends the tests first
            )
            assert self._process.stdout is not None
            line = self._process.stdout.readline()
            self._said = json.loads(line) if line else {}
        if not self._said:
            raise RuntimeError("The tests' own servers did not start; see above.")
        return self._said

    def stop(self) -> None:
        if self._process is not None:
            self._process.communicate()
            self._process = None


@contextlib.contextmanager
def server_folder() -> Iterator[Path]:
    """For servers' data, in memory where there is room for it. Unlike pytest's own
    folders, Postgres can reach it when we are root."""
    roomy = IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free > ROOM
    place = IN_MEMORY if roomy else None
    with tempfile.TemporaryDirectory(prefix="control-plane-", dir=place) as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


def with_database(url: str, name: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


class Numbered:
    """The databases of Valkey that are one worker's."""

    def __init__(self, urls: Iterable[str]) -> None:
        self._free = deque(urls)

    def take(self) -> str:
        """For what runs on while others come; of a server that was given to us, with
        its few databases, the last one serves all."""
        return self._free.popleft() if len(self._free) > 1 else self._free[0]

    @contextlib.contextmanager
    def lent(self) -> Iterator[str]:
        """To one test."""
        url = self._free.popleft()
        try:
            yield url
        finally:
            self._free.append(url)


def numbered(url: str, worker: int, workers: int) -> Numbered:
    given = "REDIS_URL" in os.environ
    first = int(urlsplit(url).path.strip("/") or 0)
    numbers = range(first + worker, GIVEN_DATABASES if given else DATABASES, workers)
    return Numbered(with_database(url, str(number)) for number in numbers)


async def on_server(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@contextlib.asynccontextmanager
async def _postgres(folder: Path) -> AsyncIterator[Urls]:
    """DATABASE_URL, whose role must be allowed to create databases, or our own."""
    if given := os.environ.get("DATABASE_URL"):
        yield Urls(given, given)
        return
    data = folder / "postgres"
    async with postgres.server(data, durable=False, settings=POSTGRES) as (urls, _):
        yield urls


@contextlib.asynccontextmanager
async def _valkey(folder: Path) -> AsyncIterator[str]:
    """REDIS_URL or our own."""
    if given := os.environ.get("REDIS_URL"):
        yield given
        return
    async with valkey(folder / "valkey", durable=False) as url:
        yield url


@contextlib.asynccontextmanager
async def _template(urls: Urls) -> AsyncIterator[str]:
    await on_server(urls.owner, f"CREATE DATABASE {TEMPLATE}")
    try:
        service, owner = (with_database(url, TEMPLATE) for url in urls)
        await migrate(owner, service)
        yield TEMPLATE
    finally:
        await on_server(urls.owner, f"DROP DATABASE {TEMPLATE} WITH (FORCE)")


async def _serve(folder: Path) -> None:
    async with (
        _postgres(folder) as database,
        _template(database) as template,
        _valkey(folder) as redis,
    ):
        urls = {
            "service": database.service,
            "owner": database.owner,
            "template": template,
            "valkey": redis,
        }
        print(json.dumps(urls), flush=True)
        await asyncio.to_thread(sys.stdin.read)


def main() -> None:
    with server_folder() as folder:
        asyncio.run(_serve(folder))


if __name__ == "__main__":
    main()
