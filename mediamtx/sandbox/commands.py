"""The runOn… commands, started as MediaMTX starts them: no shell, in a process group
of their own, never waited for; a start command that still runs when its state ends
gets SIGINT."""

import asyncio
import contextlib
import os
import shlex
import signal
from collections.abc import Mapping

LAST_WAIT = 10.0  # seconds that a shutdown waits for running commands


class Commands:
    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, command: str, variables: Mapping[str, str]) -> "asyncio.Task[None]":
        task = asyncio.create_task(_run(command, {**os.environ, **variables}))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def finish(self) -> None:
        if self._running:
            await asyncio.wait(self._running, timeout=LAST_WAIT)


async def _run(command: str, environ: Mapping[str, str]) -> None:
    try:
        process = await asyncio.create_subprocess_exec(
            *shlex.split(command),
            env=dict(environ),
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        print(f"ERR command did not start: {error}", flush=True)
        return
    try:
        await process.wait()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        await process.wait()
