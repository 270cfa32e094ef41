"""Children of a test."""

import asyncio
import contextlib
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Self


class Process:
    """A child whose output goes to a file, so that nobody waits for a reader."""

    patience = 60.0  # seconds for its end

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.process = process
        self.log = log
        self.stopped = False  # by us

    @classmethod
    async def start(
        cls, log: Path, *command: str, env: Mapping[str, str] | None = None
    ) -> Self:
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=None if env is None else dict(env),
                start_new_session=True,
            )
        return cls(process, log)

    @property
    def running(self) -> bool:
        return self.process.returncode is None

    async def ended(self, deadline: float | None = None) -> int:
        async with asyncio.timeout(deadline or self.patience):
            return await self.process.wait()

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.stopped = True
        if not self.running:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(how)
        try:
            await self.ended()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()

    async def kill(self) -> None:
        await self.stop(signal.SIGKILL)
