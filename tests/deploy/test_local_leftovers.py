"""Servers that an earlier run left behind, as macOS lets a killed run do."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy.local import leftover, postgres, valkey
from deploy.local.account import unprivileged
from deploy.local.errors import LocalError
from deploy.local.folder import Folder
from tests.support.local import Run

CLEAN = (sys.executable, "-m", "deploy.local", "clean", "--data")


@asynccontextmanager
async def left(
    file: Path, user: int | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Some program, remembered as a server is."""
    program = await asyncio.create_subprocess_exec(
        *("sleep", "600"), start_new_session=True, user=user
    )
    leftover.remember(file, program.pid)
    try:
        yield program
    finally:
        leftover.kill_group(program.pid)
        await program.wait()


async def test_clean_stops_all_of_them(server_folder: Path, tmp_path: Path) -> None:
    folder = Folder(server_folder / "local")
    async with (
        postgres.server(folder.postgres, durable=False) as (_, database),
        valkey.server(folder.valkey, durable=False) as (_, store),
        left(folder.pid_file("node")) as node,
        left(folder.pid_file("service")) as service,
    ):
        clean = await Run.start(tmp_path / "clean", *CLEAN, str(folder.path))
        assert await clean.ended() == 0, clean.log.read_text()
        assert not folder.path.exists()
        all_of_them = (database, store, node, service)
        assert [leftover.birth(one.pid) for one in all_of_them] == [None] * 4
        assert [await one.wait() for one in all_of_them] == [0, 0, -15, -15]


async def test_what_cannot_be_deleted_is_named(tmp_path: Path) -> None:
    lock = tmp_path / "local" / "lock"
    lock.mkdir(parents=True)
    clean = await Run.start(tmp_path / "clean", *CLEAN, str(lock.parent))
    assert await clean.ended() == 1
    assert clean.log.read_text() == f"Error: {lock}: Is a directory.\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
async def test_one_of_another_user_is_named(server_folder: Path) -> None:
    file, nobody = server_folder / "node.pid", unprivileged()
    assert nobody is not None
    async with left(file, nobody.uid - 1) as program:
        os.seteuid(nobody.uid)
        try:
            with pytest.raises(LocalError) as caught:
                await leftover.stop(file, signal.SIGTERM)
        finally:
            os.seteuid(0)
        assert program.returncode is None
    assert f"sleep of an earlier run, process {program.pid}" in str(caught.value)
    assert f"as root: sudo kill {program.pid}" in str(caught.value)
