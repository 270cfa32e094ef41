"""The control plane itself, as a child."""

import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp

from deploy.local.folder import CHECKOUT, Folder
from deploy.local.ports import EVERYWHERE, LOOPBACK, PUBLIC
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
    url = f"http://{_address(environ)}:{PUBLIC.number(environ)}/readyz"
    async with running(program) as child, aiohttp.ClientSession() as http:
        await child.until(lambda: answers(http, url, 200))
        yield child


def _address(environ: Mapping[str, str]) -> str:
    given = environ.get("CONTROL_PLANE_PUBLIC_HOST", "")
    return LOOPBACK if given in ("", EVERYWHERE, "::") else given


async def answers(http: aiohttp.ClientSession, url: str, *good: int) -> bool:
    try:
        async with http.get(url, timeout=aiohttp.ClientTimeout(2.0)) as response:
            return response.status in good
    except (aiohttp.ClientError, TimeoutError):
        return False
