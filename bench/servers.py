"""What a benchmark runs against: stores, the service, and the yardsticks, each a
process of its own."""

import asyncio
import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from deploy.local.postgres import postgres
from deploy.local.valkey import valkey

START = 20.0  # seconds


@dataclass(frozen=True)
class Stores:
    database: str
    redis: str


@dataclass(frozen=True)
class Service:
    public: int
    internal: int
    secret: str


def _open_folder() -> Path:
    """Postgres runs as another user when we are root."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    folder.chmod(0o711)
    return folder


@contextlib.asynccontextmanager
async def stores() -> AsyncIterator[Stores]:
    """Servers of our own; Postgres waits for the disk, as in production."""
    folder = _open_folder()
    async with (
        postgres(folder / "postgres") as database,
        valkey(folder / "valkey", durable=False) as redis,
    ):
        yield Stores(database, redis)
    shutil.rmtree(folder)


@contextlib.contextmanager
def service(urls: Stores) -> Iterator[Service]:
    public, internal = free_port(), free_port()
    found = Service(public, internal, secrets.token_hex(16))
    environ = {
        **os.environ,
        "DATABASE_URL": urls.database,
        "REDIS_URL": urls.redis,
        "CONTROL_PLANE_ENV": "production",
        "CONTROL_PLANE_LOG_LEVEL": "warning",
        "CONTROL_PLANE_SECRET": found.secret,
        "CONTROL_PLANE_PUBLIC_HOST": "127.0.0.1",
        "CONTROL_PLANE_PUBLIC_PORT": str(public),
        "CONTROL_PLANE_INTERNAL_PORT": str(internal),
        "CONTROL_PLANE_OPERATOR_PORT": "0",
        "CONTROL_PLANE_API_PORT": str(free_port()),
    }
    command = [sys.executable, "-m", "control_plane", "serve"]
    with running(command, public, environ):
        yield found


@contextlib.contextmanager
def bare_aiohttp() -> Iterator[int]:
    """The yardstick: an aiohttp application that decodes the body and says yes."""
    port = free_port()
    with running([sys.executable, "-m", "bench.servers", str(port)], port, os.environ):
        yield port


@contextlib.contextmanager
def go_http() -> Iterator[int | None]:
    """The other yardstick: Go's own server on one core, doing the same. None where
    there is no Go toolchain."""
    if shutil.which("go") is None:
        yield None
        return
    port, folder = free_port(), Path(tempfile.mkdtemp(prefix="bench-go-"))
    source = Path(__file__).parent / "go"
    build = ["go", "build", "-o", str(folder / "yardstick"), "."]
    subprocess.run(build, cwd=source, check=True)
    environ = {**os.environ, "GOMAXPROCS": "1"}
    try:
        with running([str(folder / "yardstick"), str(port)], port, environ):
            yield port
    finally:
        shutil.rmtree(folder)


def keep_off_the_servers() -> None:
    """The client gets the last core, servers started afterwards the others."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        _SERVER_CORES.update(cores[:-1])
        os.sched_setaffinity(0, {cores[-1]})


_SERVER_CORES: set[int] = set()


@contextlib.contextmanager
def running(
    command: list[str], port: int, environ: "os._Environ[str] | dict[str, str]"
) -> Iterator[None]:
    process = subprocess.Popen(command, env=dict(environ))
    if _SERVER_CORES:
        os.sched_setaffinity(process.pid, _SERVER_CORES)
    try:
        _wait_for(port, process)
        yield
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port)),
        ):
            return
        time.sleep(0.05)
    raise SystemExit("A server of the benchmark did not start.")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def _yes(request: web.Request) -> web.Response:
    await request.json()
    return web.Response()


def _bare() -> web.Application:
    app = web.Application()
    app.router.add_post("/hooks/mediamtx/{node}/auth", _yes)
    return app


if __name__ == "__main__":
    web.run_app(
        _bare(),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        access_log=None,
        print=None,
        loop=asyncio.new_event_loop(),
        backlog=4096,
    )
