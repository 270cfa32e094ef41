"""What a benchmark runs against: stores, the service, and the yardsticks, each a
process of its own."""

import asyncio
import contextlib
import functools
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import asyncpg
from aiohttp import web

from bench.golang import Programs
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
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)


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
def service(urls: Stores, *options: str, **changes: str) -> Iterator[Service]:
    """All roles, or as the command's ``options`` say. Where its node's API should be
    nobody answers, which says nothing about a stream; ``changes``: of its
    environment."""
    public, internal = free_port(), free_port()
    secret = secrets.token_hex(16)
    environ = {
        **os.environ,
        "DATABASE_URL": urls.database,
        "REDIS_URL": urls.redis,
        "CONTROL_PLANE_ENV": "production",
        "CONTROL_PLANE_LOG_LEVEL": "warning",
        "CONTROL_PLANE_SECRET": secret,
        "CONTROL_PLANE_PUBLIC_HOST": "127.0.0.1",
        "CONTROL_PLANE_PUBLIC_PORT": str(public),
        "CONTROL_PLANE_INTERNAL_PORT": str(internal),
        "CONTROL_PLANE_API_METRICS_PORT": str(free_port()),
        "CONTROL_PLANE_WORK_METRICS_PORT": str(free_port()),
        "CONTROL_PLANE_OPERATOR_PORT": "0",
        **changes,
    }
    with _silent() as port:
        environ = {"CONTROL_PLANE_API_PORT": str(port)} | environ
        with running(_serve(*options), public, environ):
            for port in (public,) if options else (internal, public):
                _wait_until_ready(port)
            yield Service(public, internal, secret, environ)


@contextlib.contextmanager
def auth_role(ours: Service) -> Iterator[int]:
    """One more process of it that answers nodes, at a port of its own."""
    port = free_port()
    environ = {**ours.environ, "CONTROL_PLANE_INTERNAL_PORT": str(port)}
    with running(_serve("--role", "auth"), port, environ):
        _wait_until_ready(port)
        yield port


@contextlib.contextmanager
def work_role(ours: Service) -> Iterator["subprocess.Popen[bytes]"]:
    """The process of it that reads nodes."""
    port = int(ours.environ["CONTROL_PLANE_WORK_METRICS_PORT"])
    with running(_serve("--role", "work"), port, ours.environ) as process:
        _wait_until_ready(port)
        yield process


def _serve(*options: str) -> list[str]:
    return [sys.executable, "-m", "control_plane", "serve", *options]


def api_role(urls: Stores) -> AbstractContextManager[Service]:
    """Only what the public talks to, so that a core is one process's; nobody reaches
    its limits."""
    limit = {"CONTROL_PLANE_WRITES_PER_MINUTE": "1000000000"}
    return service(urls, "--role", "api", **limit)


@contextlib.contextmanager
def bare_aiohttp() -> Iterator[int]:
    """The yardstick: an aiohttp application that decodes the body and says yes."""
    with _yardstick() as port:
        yield port


@contextlib.contextmanager
def one_select(database: str) -> Iterator[int]:
    """Another: the same, answering with one row of Postgres."""
    with _yardstick(database) as port:
        yield port


@contextlib.contextmanager
def _yardstick(*options: str) -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "bench.servers", str(port), *options]
    with running(command, port, os.environ):
        yield port


def go_http(programs: Programs | None) -> AbstractContextManager[int | None]:
    """The other yardstick: Go's own server on one core, doing the same. None where
    there is no Go toolchain."""
    return _program(None if programs is None else programs.server)


def says_yes(programs: Programs | None) -> AbstractContextManager[int | None]:
    """A server that costs next to nothing, to see how fast a client is."""
    return _program(None if programs is None else programs.fixed)


@contextlib.contextmanager
def _program(program: Path | None) -> Iterator[int | None]:
    if program is None:
        yield None
        return
    port = free_port()
    environ = {**os.environ, "GOMAXPROCS": "1"}
    with running([str(program), str(port)], port, environ):
        yield port


@contextlib.contextmanager
def _silent() -> Iterator[int]:
    """A port that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        yield int(one.getsockname()[1])


def keep_off_the_servers() -> None:
    """The client gets the last core, servers started afterwards the others."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        _SERVER_CORES.update(cores[:-1])
        os.sched_setaffinity(0, {cores[-1]})


_SERVER_CORES: set[int] = set()


@contextlib.contextmanager
def awake() -> Iterator[None]:
    """No core halts while there is nothing to do: on a virtual machine waking it up can
    cost more than a call. Whoever has work goes first."""
    loops = [
        subprocess.Popen(
            [sys.executable, "-c", "while True: pass"],
            preexec_fn=functools.partial(_only_when_idle, core),
        )
        for core in os.sched_getaffinity(0) | _SERVER_CORES
    ]
    try:
        yield
    finally:
        for one in loops:
            one.kill()
            one.wait()


def _only_when_idle(core: int) -> None:
    os.sched_setaffinity(0, {core})
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


@contextlib.contextmanager
def running(
    command: list[str],
    port: int,
    environ: Mapping[str, str],
    start: float = START,
) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(command, env=dict(environ))
    if _SERVER_CORES:
        os.sched_setaffinity(process.pid, _SERVER_CORES)
    try:
        _wait_for(port, process, start)
        yield process
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int, process: "subprocess.Popen[bytes]", start: float) -> None:
    end = time.monotonic() + start
    while time.monotonic() < end and process.poll() is None:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port)),
        ):
            return
        time.sleep(0.05)
    raise SystemExit("A server of the benchmark did not start.")


def _wait_until_ready(port: int) -> None:
    """Its roles listen before they serve."""
    end = time.monotonic() + START
    while time.monotonic() < end:
        with (
            contextlib.suppress(OSError),
            urlopen(f"http://127.0.0.1:{port}/readyz", timeout=START) as response,
        ):
            if response.status == 200:
                return
        time.sleep(0.05)
    raise SystemExit("The service of the benchmark is not ready.")


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


def _selecting(database: str) -> web.Application:
    app = web.Application()

    async def pool(app: web.Application) -> AsyncIterator[None]:
        async with asyncpg.create_pool(database, min_size=4) as app[POOL]:
            yield

    async def one(request: web.Request) -> web.Response:
        await request.json()
        row = await app[POOL].fetchrow(ONE, 1)
        return web.json_response({"code": 200, "msg": dict(row or {})})

    app.cleanup_ctx.append(pool)
    app.router.add_post("/api/{name}", one)
    return app


ONE = "SELECT id, username, first_name, bio, profile_pic FROM users WHERE id = $1"
POOL: "web.AppKey[asyncpg.Pool[asyncpg.Record]]" = web.AppKey("pool", asyncpg.Pool)


if __name__ == "__main__":
    web.run_app(
        _selecting(sys.argv[2]) if len(sys.argv) > 2 else _bare(),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        access_log=None,
        print=None,
        loop=asyncio.new_event_loop(),
        backlog=4096,
    )
