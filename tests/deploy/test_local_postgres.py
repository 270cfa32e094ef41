"""The embedded Postgres: it keeps what it has, and nothing of a crash is in its way."""

import asyncio
import os
import shutil
import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from deploy.local import place
from deploy.local.errors import LocalError
from deploy.local.postgres import postgres, server
from tests.support.local import eventually
from tests.support.process import Process

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user")


async def ask(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_it_keeps_its_data(server_folder: Path) -> None:
    async with postgres(server_folder / "data") as url:
        await ask(url, "CREATE TABLE kept AS SELECT 7 AS number")
    async with postgres(server_folder / "data") as url:
        assert await ask(url, "SELECT number FROM kept") == 7


async def test_text_is_utf8_and_sorts_alike_everywhere(server_folder: Path) -> None:
    async with postgres(server_folder / "data", durable=False) as url:
        assert await ask(url, "SHOW server_encoding") == "UTF8"
        assert await ask(url, "SELECT 'Z' < 'a' AND lower('É') = 'é'")
        assert await ask(url, "SHOW timezone") in ("UTC", "Etc/UTC")


async def test_no_other_user_can_reach_it(server_folder: Path) -> None:
    async with postgres(server_folder / "data", durable=False) as url:
        assert await ask(url, "SHOW listen_addresses") == ""
        mode = (server_folder / "data" / "socket").stat().st_mode
        assert stat.S_IMODE(mode) == 0o700


async def test_settings_of_the_callers_shell_do_not_lead_it_astray(
    server_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("PGSSLMODE", "require")
    async with postgres(server_folder / "data", durable=False) as url:
        assert await ask(url, "SELECT 1") == 1


async def test_after_a_kill_it_starts_with_all_that_was_committed(
    server_folder: Path,
) -> None:
    async with server(server_folder / "data", durable=False) as (urls, child):
        await ask(urls.owner, "CREATE TABLE kept AS SELECT 7 AS number")
        os.kill(child.pid, signal.SIGKILL)
        assert await child.wait() == -signal.SIGKILL
    async with postgres(server_folder / "data", durable=False) as url:
        assert await ask(url, "SELECT number FROM kept") == 7


async def test_a_server_that_lost_its_supervisor_is_stopped_by_the_next_start(
    server_folder: Path,
) -> None:
    data, kept = server_folder / "data", server_folder / "kept"
    async with server(data, durable=False) as (_, first):
        # As on a system that does not end a killed process's children.
        shutil.copy(data / "postgres.pid", kept)
        async with postgres(data, durable=False) as url:
            assert await ask(url, "SELECT 1") == 1
        assert not psutil.pid_exists(first.pid) or first.exit_code == 0
    assert kept.read_text().startswith(f"{first.pid} ")


async def test_a_pid_file_that_names_a_stranger_is_no_obstacle(
    server_folder: Path,
) -> None:
    data = server_folder / "data"
    async with postgres(data, durable=False):
        account = place.find_place(data).account
    stranger = await asyncio.create_subprocess_exec(
        *("sleep", "60"), user=None if account is None else account.uid
    )
    try:
        # What a crash and a new boot leave: the number is another process's now.
        left = f"{stranger.pid}\n{data}/cluster\n1\n5432\n\n\n 1 2\nready\n"
        (data / "cluster" / "postmaster.pid").write_text(left)
        (data / "postgres.pid").write_text(f"{stranger.pid} another boot 1\n")
        async with postgres(data, durable=False) as url:
            assert await ask(url, "SELECT 1") == 1
        assert stranger.returncode is None
    finally:
        stranger.kill()
        await stranger.wait()


async def test_a_long_path_is_no_obstacle(server_folder: Path) -> None:
    data = server_folder / ("long" * 30) / "data"
    data.parent.mkdir()
    async with postgres(data, durable=False) as url:
        assert await ask(url, "SELECT 1") == 1
        sockets = place.find_place(data).sockets
    shutil.rmtree(sockets)


async def test_a_folder_of_somebody_else_is_not_used_for_the_socket(
    server_folder: Path,
) -> None:
    data = server_folder / ("long" * 30) / "data"
    data.parent.mkdir()
    sockets = place.find_place(data).sockets
    sockets.mkdir(mode=0o755)
    try:
        with pytest.raises(LocalError, match="is not ours alone"):
            async with postgres(data, durable=False):
                pass
    finally:
        sockets.rmdir()


async def test_data_that_it_cannot_read_is_explained_by_its_log(
    server_folder: Path,
) -> None:
    async with postgres(server_folder / "data", durable=False):
        pass
    (server_folder / "data" / "cluster" / "PG_VERSION").write_text("12\n")
    with pytest.raises(LocalError, match="initialized by PostgreSQL version 12"):
        async with postgres(server_folder / "data", durable=False):
            pass


async def test_a_cut_start_leaves_nothing_running(server_folder: Path) -> None:
    async def start() -> None:
        async with postgres(server_folder / "data", durable=False):
            pass

    for part in ("cluster.new", "cluster/postmaster.pid"):
        task = asyncio.create_task(start())
        await eventually((server_folder / "data" / part).exists)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        words = [
            process.info["cmdline"] for process in psutil.process_iter(["cmdline"])
        ]
        assert not [
            line for line in words if str(server_folder) in " ".join(line or ())
        ]


@pytest.fixture
def closed_folder(server_folder: Path) -> Iterator[Path]:
    """As root's home: nobody else may enter."""
    folder = server_folder / "closed"
    folder.mkdir(mode=0o700)
    yield folder
    if (folder / "data").is_symlink():
        shutil.rmtree((folder / "data").resolve())


def owner_and_mode(folder: Path) -> tuple[int, int]:
    found = folder.stat()
    return found.st_uid, found.st_mode


@as_root
async def test_root_runs_it_as_another_user(server_folder: Path) -> None:
    async with server(server_folder / "data", durable=False) as (_, child):
        assert psutil.Process(child.pid).uids().effective != 0
        assert psutil.Process(child.pid).children()[0].uids().effective != 0


@as_root
async def test_a_stranger_with_the_servers_user_gets_in_as_nobody(
    server_folder: Path,
) -> None:
    """`nobody` is the user of other programs too."""
    async with server(server_folder / "data", durable=False) as (urls, _):
        assert [await ask(url, "SELECT 1") for url in urls] == [1, 1]
        home = place.find_place(server_folder / "data")
        assert home.account is not None
        for role in ("postgres", place.OWNER, place.SERVICE):
            psql = await asyncio.create_subprocess_exec(
                *(str(home.programs / "psql"), "-h", str(home.sockets), "-U", role),
                *("-d", "postgres", "-c", "SELECT 1"),
                user=home.account.uid,
                group=home.account.gid,
                extra_groups=[],
                env={},
                stderr=asyncio.subprocess.PIPE,
            )
            _, complaint = await psql.communicate()
            assert "Peer authentication failed" in complaint.decode()
            assert psql.returncode != 0
        for rules in (home.host_rules, home.user_map):
            assert owner_and_mode(rules) == (0, 0o100644)


@as_root
async def test_root_may_keep_the_checkout_in_a_closed_folder(
    closed_folder: Path,
) -> None:
    before = owner_and_mode(closed_folder)
    async with postgres(closed_folder / "data") as url:
        await ask(url, "CREATE TABLE kept AS SELECT 7 AS number")
    async with postgres(closed_folder / "data") as url:
        assert await ask(url, "SELECT number FROM kept") == 7
    assert owner_and_mode(closed_folder) == before


@as_root
async def test_a_new_checkout_in_the_place_of_an_old_one_starts_empty(
    closed_folder: Path,
) -> None:
    async with postgres(closed_folder / "data", durable=False) as url:
        await ask(url, "CREATE TABLE kept ()")
    (closed_folder / "data").unlink()
    async with postgres(closed_folder / "data", durable=False) as url:
        assert await ask(url, "SELECT to_regclass('kept')") is None


@as_root
async def test_root_may_keep_the_programs_in_a_closed_folder(
    closed_folder: Path, tmp_path: Path
) -> None:
    packages, name = place.installed()
    for part in (place.PACKAGE, f"{place.PACKAGE}.libs"):
        if (packages / part).exists():
            shutil.copytree(packages / part, closed_folder / part, symlinks=True)
    script = tmp_path / "start.py"
    script.write_text(
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from deploy.local.postgres import postgres\n"
        "async def main() -> None:\n"
        "    async with postgres(Path(sys.argv[1]), durable=False) as url:\n"
        "        print(url)\n"
        "asyncio.run(main())\n"
    )
    checkout = str(Path(place.__file__).parents[2])
    run = await Process.start(
        tmp_path / "said",
        *(sys.executable, str(script), str(closed_folder / "data")),
        env={**os.environ, "PYTHONPATH": f"{closed_folder}:{checkout}"},
    )
    assert await run.ended(30.0) == 0, run.log.read_text()
    home = (closed_folder / "data").resolve()
    copies = list(home.glob(f"programs-*/{name}/bin/postgres"))
    assert len(copies) == 1
