"""Everything up, in order; everything down, in the opposite order."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    contextmanager,
    suppress,
)
from typing import TypeVar

from click import ClickException

from control_plane.commands import demo
from deploy.local import demo_videos, leftover, ports, postgres, valkey
from deploy.local.errors import LocalError, sentence
from deploy.local.folder import Folder
from deploy.local.greeting import greeting
from deploy.local.node import SANDBOX, Kind, choose, node
from deploy.local.operator_token import operator_token
from deploy.local.process import Child
from deploy.local.service import service
from deploy.local.terminal import say

T = TypeVar("T")

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TERMINAL_INTERVAL = 1.0  # seconds between looks whether it is still there


def run(folder: Folder) -> int:
    """Until Ctrl-C or SIGTERM (0), or until something ends that must not (1)."""
    try:
        with folder.claimed():
            return asyncio.run(_until_stopped(folder))
    except LocalError as error:
        say(f"\n{error}")
    except OSError as error:
        say(f"\n{sentence(error)}")
    return 1


async def _until_stopped(folder: Folder) -> int:
    ending = asyncio.Event()
    work = asyncio.create_task(_work(folder, ending))
    with _stopped_by_signals(work, ending):
        try:
            return await work
        except asyncio.CancelledError:
            say("Stopped.")
            return 0


@contextmanager
def _stopped_by_signals(
    work: "asyncio.Task[int]", ending: asyncio.Event
) -> Iterator[None]:
    """The first one stops everything; further ones must not cut that short."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if ending.is_set():
            say("Stopping already; it takes a few seconds.")
            return
        ending.set()
        say("\nStopping …")
        work.cancel()

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop)
    terminal = asyncio.create_task(_when_terminal_closes(stop))
    try:
        yield
    finally:
        terminal.cancel()
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)


async def _when_terminal_closes(stop: Callable[[], None]) -> None:
    """`make` as a terminal's first process keeps the SIGHUP to itself."""
    output = sys.stdout.fileno()
    if not os.isatty(output):
        return
    while os.isatty(output):  # noqa: ASYNC110  (who does not ask is not told)
        await asyncio.sleep(TERMINAL_INTERVAL)
    stop()


async def _work(folder: Folder, ending: asyncio.Event) -> int:
    """Ends by being cancelled, or with 1."""
    for name in ("node", "service"):  # they would hold the ports
        if await leftover.stop(folder.pid_file(name), signal.SIGTERM):
            say(f"Stopped the {name} that an earlier run left behind.")
    kind = await choose(folder, os.environ)
    ports.check(kind.ports, os.environ)
    async with AsyncExitStack() as stack:
        stack.callback(folder.command.unlink, missing_ok=True)
        up = Up(stack)
        try:
            environ = await _start(up, folder, kind)
            token = await operator_token(environ["DATABASE_URL"])
            say(greeting(environ, folder, kind, token))
            async with demo_videos.seeding(folder, environ):
                await up.first_end()
        except LocalError as error:
            ending.set()
            say(f"\n{error}\nStopping everything else …")
    return 1


async def _start(up: "Up", folder: Folder, kind: Kind) -> Mapping[str, str]:
    environ = _environ(folder, kind)
    if "DATABASE_URL" not in environ:
        database = postgres.server(folder.postgres, log=folder.log("postgres"))
        urls = await up.server("Postgres", database)
        environ["DATABASE_URL"] = urls.service
        environ["CONTROL_PLANE_MIGRATIONS_URL"] = urls.owner
    if "REDIS_URL" not in environ:
        server = valkey.server(folder.valkey, log=folder.log("valkey"))
        environ["REDIS_URL"] = await up.server("Valkey", server)
    os.environ.update(environ)  # what our children are told counts here too
    folder.write_command(environ)
    await up.child("The service", service(folder, environ))
    await up.child(kind.name, node(kind, folder, environ))
    return environ


def _environ(folder: Folder, kind: Kind) -> dict[str, str]:
    """What is set already wins."""
    environ = {
        "CONTROL_PLANE_ENV": "development",
        "CONTROL_PLANE_NODE_NAME": "local",
        "CONTROL_PLANE_MEDIA_FOLDER": str(folder.media),
        "CONTROL_PLANE_FFMPEG": _ffmpeg(),
        **os.environ,
        SANDBOX: str(kind.sandbox).lower(),
    }
    if not {"CONTROL_PLANE_SECRET", "CONTROL_PLANE_SECRET_FILE"} & environ.keys():
        folder.make_secret()
        environ["CONTROL_PLANE_SECRET_FILE"] = str(folder.secret)
    return environ


def _ffmpeg() -> str:
    """The demo's, if there is one."""
    with suppress(ClickException):
        return demo.ffmpeg()
    return "ffmpeg"


class Up:
    """What is up so far; the stack takes it down in the opposite order."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self._children: list[Child] = []

    async def server(
        self, name: str, context: AbstractAsyncContextManager[tuple[T, Child]]
    ) -> T:
        """Its URL, or several."""
        began = time.monotonic()
        urls, child = await self._stack.enter_async_context(context)
        self._add(name, child, began)
        return urls

    async def child(
        self, name: str, context: AbstractAsyncContextManager[Child]
    ) -> None:
        began = time.monotonic()
        child = await self._stack.enter_async_context(context)
        self._add(name, child, began)

    def _add(self, name: str, child: Child, began: float) -> None:
        say(f"{name} is up ({time.monotonic() - began:.1f} s).")
        self._children.append(child)

    async def first_end(self) -> None:
        """Wait until one of them ends, which is a LocalError."""
        waits = {asyncio.ensure_future(child.wait()) for child in self._children}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        ended = [child for child in self._children if child.exit_code is not None]
        raise LocalError(ended[0].obituary())
