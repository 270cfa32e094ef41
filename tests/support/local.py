"""`python -m deploy.local run` on free ports, with all that it starts."""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.support.ports import free_ports
from tests.support.process import Process
from tests.support.stack import PORTS

DEADLINE = 120.0  # seconds: everything is started, on a machine that has other work


async def eventually(true: Callable[[], bool], deadline: float = DEADLINE) -> None:
    """AssertionError when it is not true within the deadline."""
    end = time.monotonic() + deadline
    while not true():
        assert time.monotonic() < end, f"not within {deadline} s"
        await asyncio.sleep(0.02)


class Run(Process):
    """A `make run`, or a command beside it."""

    patience = DEADLINE


class LocalRun:
    """One start after another in the same folder. ``media``: where the demo videos
    are, or what stands in for them."""

    def __init__(self, folder: Path, mediamtx: Path, media: Path) -> None:
        self.data = folder / "local"
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        self.base = f"http://127.0.0.1:{self.ports['PUBLIC']}"
        self._folder = folder
        self._runs: list[Run] = []
        self._seen: dict[int, psutil.Process] = {}
        unset = ("DATABASE_URL", "REDIS_URL", "CONTROL_PLANE_", "MTX_")
        self.env = {
            **{n: v for n, v in os.environ.items() if not n.startswith(unset)},
            **{f"CONTROL_PLANE_{n}_PORT": str(p) for n, p in self.ports.items()},
            "MEDIAMTX_BIN": str(mediamtx),
            "CONTROL_PLANE_MEDIA_FOLDER": str(media),
        }

    async def start(self, **env: str) -> Run:
        run = await Run.start(
            self._folder / f"run-{len(self._runs)}.txt",
            *(sys.executable, "-m", "deploy.local", "run", "--data", str(self.data)),
            env=self.env | env,
        )
        self._runs.append(run)
        return run

    async def start_in(self, terminal: int) -> Run:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "deploy.local", "run", "--data", str(self.data)),
            env=self.env,
            stdout=terminal,
            stderr=terminal,
        )
        run = Run(process, Path(os.devnull))
        self._runs.append(run)
        return run

    async def stop(self) -> None:
        for run in self._runs:
            await run.stop()

    async def said(self, run: Run, text: str) -> str:
        """Everything it printed, once that holds the text."""

        def there() -> bool:
            was_running = run.running
            found = text in run.log.read_text()
            assert found or was_running, run.log.read_text()
            return found

        await eventually(there)
        self.remember(run)
        return run.log.read_text()

    async def up(self, **env: str) -> Run:
        run = await self.start(**env)
        await self.said(run, "Ctrl-C stops everything.")
        return run

    def remember(self, run: Run) -> None:
        """Everything that runs below it now, to be looked for later."""
        try:
            below = psutil.Process(run.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return
        self._seen |= {process.pid: process for process in below}

    def left(self) -> list[str]:
        """What still runs of all that was ever seen."""
        return [name for one in self._seen.values() if (name := _running(one))]


def _running(process: psutil.Process) -> str | None:
    """Its name; None where it has ended, if only between two of these questions."""
    try:
        ended = process.status() == psutil.STATUS_ZOMBIE
        return None if ended or not process.is_running() else process.name()
    except psutil.NoSuchProcess:
        return None
