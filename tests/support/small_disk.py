"""A small file system that really gets full, and a Postgres whose tables are on one.

It is mounted in a namespace of its own, for which nobody has to be root. Where the
system allows none the tests that need it are skipped. This file is also the program
that runs that Postgres, until its standard input ends.
"""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from control_plane.base.schema import migrate
from deploy.local import account, postgres
from deploy.local.place import OWNER, Place, Urls, find_place

NAME, SIZE = "small", "48m"
#: Without a log: that one is on the other disk, which stays empty.
FILLED = "INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, {rows})"


class SmallDisk:
    def __init__(self, urls: Urls) -> None:
        self.urls = urls

    async def fill(self) -> None:
        """To the last page."""
        by_hand = await asyncpg.connect(self.urls.owner)
        await by_hand.execute("CREATE UNLOGGED TABLE filler (text text)")
        for rows in (10_000, 1_000, 100, 10, 1):
            with contextlib.suppress(asyncpg.DiskFullError):
                while True:
                    await by_hand.execute(FILLED.format(rows=rows))
        await by_hand.close()

    async def make_room(self) -> None:
        by_hand = await asyncpg.connect(self.urls.owner)
        await by_hand.execute("DROP TABLE filler")
        await by_hand.close()


@contextlib.asynccontextmanager
async def small_disk(folder: Path) -> AsyncIterator[SmallDisk]:
    """``folder``: as of ``server_folder``."""
    disk = folder / NAME
    disk.mkdir()
    program = await asyncio.create_subprocess_exec(
        *_program(disk, SIZE, sys.executable, "-P", __file__, str(folder)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert program.stdout is not None
    try:
        line = await program.stdout.readline()
        yield SmallDisk(Urls(*json.loads(line)))
    finally:
        await program.communicate(b"")  # its input ends


@contextlib.asynccontextmanager
async def small_folder(folder: Path, size: str = "1m") -> AsyncIterator[Path]:
    """Where we see it, though it is mounted for another program."""
    disk = folder / NAME
    disk.mkdir()
    program = await asyncio.create_subprocess_exec(
        *_program(disk, size, "sh", "-c", "echo mounted; cat"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert program.stdout is not None
    try:
        assert await program.stdout.readline()
        yield Path(f"/proc/{program.pid}/root{disk}")
    finally:
        await program.communicate(b"")


def _program(disk: Path, size: str, *command: str) -> list[str]:
    """``command`` as it alone sees a file system at ``disk``."""
    tried = _mounted(disk, size, "true")
    if shutil.which("unshare") is None or subprocess.call(tried) != 0:
        pytest.skip("no file system can be mounted here")
    return _mounted(disk, size, *command)


def _mounted(disk: Path, size: str, *command: str) -> list[str]:
    """As ourselves, whoever we have to be for mounting."""
    mount = 'mount -t tmpfs -o "size=$1,mode=1777" none "$2" && shift 2 && exec "$@"'
    alone, back = ["unshare", "--mount"], []
    if us := os.geteuid():
        alone += ["--user", "--map-root-user"]
        back = ["unshare", "--user", f"--map-user={us}", f"--map-group={os.getegid()}"]
    return [*alone, "sh", "-c", mount, "sh", size, str(disk), *back, *command]


async def _serve(folder: Path) -> None:
    place = find_place(folder / "postgres")
    async with postgres.server(folder / "postgres", durable=False):
        urls = await _make_database(place, folder / NAME / "tables")
        print(json.dumps(urls), flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def _make_database(place: Place, where: Path) -> Urls:
    account.make_private(where, place.account)
    admin = await asyncpg.connect(place.url("postgres", "postgres"))
    await admin.execute(f"CREATE TABLESPACE {NAME} LOCATION '{where}'")
    await admin.execute(f"CREATE DATABASE {NAME} OWNER {OWNER} TABLESPACE {NAME}")
    await admin.close()
    urls = Urls(*(place.url(role, NAME) for role in ("control_plane", OWNER)))
    await migrate(urls.owner, urls.service)
    return urls


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
