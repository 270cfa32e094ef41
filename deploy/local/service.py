"""The control plane itself, as a child."""

import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

import aiohttp

from deploy.local.folder import CHECKOUT, Folder
from deploy.local.ports import EVERYWHERE, INTERNAL, LOOPBACK, PUBLIC, WORK_METRICS
from deploy.local.process import Child, Program, running

CONTROL_PLANE = (sys.executable, "-m", "control_plane")


@asynccontextmanager
async def service(folder: Folder, environ: Mapping[str, str]) -> AsyncIterator[Child]:
    """Its log goes to the terminal. Yields once it is ready to serve."""
    program = Program(
        name="The service",
        command=(*CONTROL_PLANE, "serve"),
        environ=environ,
        stop_signal=signal.SIGTERM,
        stop_timeout=20.0,
        pid_file=folder.pid_file("service"),
        folder=CHECKOUT,
    )
    async with running(program) as child, aiohttp.ClientSession() as http:
        for url in _ready_urls(environ):
            await child.until(partial(answers, http, url, 200))
        yield child


def _ready_urls(environ: Mapping[str, str]) -> list[str]:
    """One for each role."""
    asked = (PUBLIC, "PUBLIC"), (INTERNAL, "INTERNAL"), (WORK_METRICS, "INTERNAL")
    return [
        f"http://{_address(environ, listener)}:{port.number(environ)}/readyz"
        for port, listener in asked
    ]


def _address(environ: Mapping[str, str], listener: str) -> str:
    given = environ.get(f"CONTROL_PLANE_{listener}_HOST", "")
    return LOOPBACK if given in ("", EVERYWHERE, "::") else given


async def answers(http: aiohttp.ClientSession, url: str, *good: int) -> bool:
    try:
        async with http.get(url, timeout=aiohttp.ClientTimeout(2.0)) as response:
            return response.status in good
    except (aiohttp.ClientError, TimeoutError):
        return False
