"""Five short videos, so that an app's feed is not empty at first."""

import asyncio
import time
from collections.abc import Mapping

from deploy.local.folder import CHECKOUT
from deploy.local.service import CONTROL_PLANE
from deploy.local.terminal import say


async def seed(environ: Mapping[str, str]) -> None:
    """Without them the rest works too, so a failure is said and no more."""
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *(*CONTROL_PLANE, "seed-demo"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=dict(environ),
        cwd=CHECKOUT,
    )
    try:
        words, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        say(f"Demo videos are missing: {words.decode(errors='replace').strip()}")
    else:
        say(f"The demo videos are there ({time.monotonic() - began:.1f} s).")
