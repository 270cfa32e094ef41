"""Five short videos, so that an app's feed is not empty at first."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from deploy.local.folder import CHECKOUT, Folder
from deploy.local.process import Program, running
from deploy.local.service import CONTROL_PLANE
from deploy.local.terminal import say


@asynccontextmanager
async def seeding(folder: Folder, environ: Mapping[str, str]) -> AsyncIterator[None]:
    """They come while everything runs already."""
    work = asyncio.create_task(_seed(folder, environ))
    try:
        yield
    finally:
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work


async def _seed(folder: Folder, environ: Mapping[str, str]) -> None:
    """Without them the rest works too, so a failure is said and no more."""
    began = time.monotonic()
    program = Program(
        name="The maker of the demo videos",
        command=(*CONTROL_PLANE, "seed-demo"),
        environ=environ,
        stop_signal=signal.SIGKILL,
        log=folder.log("demo-videos"),
        folder=CHECKOUT,
    )
    async with running(program) as child:
        failed = await child.wait()
    if failed:
        say(f"Demo videos are missing:{child.last_lines()}")
    else:
        say(f"The demo videos are there ({time.monotonic() - began:.1f} s).")
