"""One server as a child of ours: started, watched, stopped."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.local import leftover
from deploy.local.account import Account
from deploy.local.errors import LocalError

LAUNCHER = Path(__file__).with_name("launcher.py")
START_TIMEOUT = 60.0  # seconds until a server must answer
POLL_INTERVAL = 0.02  # seconds


@dataclass(frozen=True)
class Program:
    """What to start, and how to ask it to stop."""

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str] = field(repr=False)  # holds secrets
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout: float = 10.0  # seconds, then SIGKILL
    account: Account | None = None
    log: Path | None = None  # None: the terminal
    pid_file: Path | None = None  # None: the next start need not find it
    folder: Path | None = None  # where it runs


class Child:
    """A running program. Made by ``running``."""

    def __init__(self, program: Program, process: asyncio.subprocess.Process) -> None:
        self.program = program
        self.pid = process.pid
        self._process = process

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode

    async def wait(self) -> int:
        return await self._process.wait()

    def last_lines(self, count: int = 12) -> str:
        """The end of its log, each line set in; empty where that is the terminal."""
        log = self.program.log
        if log is None or not log.exists():
            return ""
        lines = log.read_text("utf-8", "replace").splitlines()[-count:]
        return "".join(f"\n    {line}" for line in lines)

    async def stop(self) -> None:
        if self.exit_code is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(self.program.stop_signal)
        try:
            await asyncio.wait_for(self.wait(), self.program.stop_timeout)
        except TimeoutError:
            self._process.kill()
            await self.wait()
        leftover.kill_group(self.pid)

    async def until(self, ready: Callable[[], Awaitable[bool]]) -> None:
        """Poll until it is ready; an early end or a time-out is a LocalError."""
        with suppress(TimeoutError):
            async with asyncio.timeout(START_TIMEOUT):
                while self.exit_code is None:
                    if await ready():
                        return
                    await asyncio.sleep(POLL_INTERVAL)
        raise LocalError(self.obituary())

    def obituary(self) -> str:
        """Why it is of no use any more, and the end of its log."""
        code = self.exit_code
        if code is None:
            happened = f"did not start within {START_TIMEOUT:.0f} s"
        elif code < 0:
            happened = f"was ended by {signal.Signals(-code).name}"
        else:
            happened = f"stopped by itself (exit code {code})"
        log = f" Its log, {self.program.log}, ends:" if self.last_lines() else ""
        return f"{self.program.name} {happened}.{log}{self.last_lines()}"


@asynccontextmanager
async def running(program: Program) -> AsyncIterator[Child]:
    """Start it, after stopping what an earlier start left, and stop it at the end."""
    if program.pid_file is not None:
        await leftover.stop(program.pid_file, program.stop_signal)
    child = Child(program, await _start(program))
    try:
        if program.pid_file is not None:
            leftover.remember(program.pid_file, child.pid)
        yield child
    finally:
        await _uncut(child.stop())
        if program.pid_file is not None:
            leftover.forget(program.pid_file)


async def _start(program: Program) -> asyncio.subprocess.Process:
    account = program.account
    who = ("-", "-") if account is None else (str(account.uid), str(account.gid))
    output = None if program.log is None else _fresh_log(program.log)
    try:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(LAUNCHER)),
            *(str(os.getpid()), str(int(program.stop_signal)), *who),
            *program.command,
            env=dict(program.environ),
            cwd=program.folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Ctrl-C reaches only us, so that we stop the servers in order.
            start_new_session=True,
        )
    finally:
        if output is not None:
            os.close(output)


def _fresh_log(log: Path) -> int:
    """Keeps the last run's log beside it, as ``….log.1``."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        log.replace(log.with_name(log.name + ".1"))
    return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


async def _uncut(work: Coroutine[Any, Any, None]) -> None:
    """Whoever cancels us has to wait until the work is done."""
    task = asyncio.ensure_future(work)
    cancelled = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
    task.result()
    if cancelled is not None:
        raise cancelled
