"""The media node: MediaMTX where it can be had, else the sandbox node."""

import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import aiohttp

from control_plane.commands.beside import settings
from control_plane.wiring.node_config import hook_environ, node_config
from deploy.local import ports
from deploy.local.errors import LocalError
from deploy.local.folder import CHECKOUT, Folder, write_private
from deploy.local.ports import Port
from deploy.local.process import Child, Program, running
from deploy.local.service import answers
from deploy.local.terminal import end_progress, progress, say
from mediamtx import binary
from mediamtx.render import render

SANDBOX = "CONTROL_PLANE_NODE_SANDBOX"


@dataclass(frozen=True)
class Kind:
    """Which server is the node."""

    command: tuple[str, ...]
    version: str  # MediaMTX's own, or the one that the sandbox node speaks like
    sandbox: bool = False

    @property
    def name(self) -> str:
        return "The sandbox node" if self.sandbox else f"MediaMTX {self.version}"

    @property
    def ports(self) -> tuple[Port, ...]:
        return ports.SANDBOX_PORTS if self.sandbox else ports.MEDIAMTX_PORTS


async def choose(folder: Folder, environ: Mapping[str, str]) -> Kind:
    """MEDIAMTX_BIN that cannot be used is an error: somebody asked for it."""
    if environ.get(SANDBOX, "").lower() in ("1", "true", "yes", "on"):
        return _sandbox()
    try:
        found = await binary.find(folder.cache, environ, progress)
        end_progress()
        return Kind((str(found),), await binary.version_of(found))
    except binary.BinaryNotFound as error:
        end_progress()
        if environ.get("MEDIAMTX_BIN"):
            raise LocalError(str(error)) from None
        say(f"{error} The sandbox node takes its place; it is not for production.")
        return _sandbox()


def _sandbox() -> Kind:
    command = (sys.executable, "-m", "mediamtx.sandbox")
    return Kind(command, binary.PINNED, sandbox=True)


@asynccontextmanager
async def node(
    kind: Kind, folder: Folder, environ: Mapping[str, str]
) -> AsyncIterator[Child]:
    """Yields once its control API answers, be it that we may not use it."""
    for_hooks = _configure(kind, folder, environ["CONTROL_PLANE_NODE_NAME"])
    program = Program(
        name=kind.name,
        command=(*kind.command, str(folder.node_configuration)),
        environ=_own_environ() | for_hooks,
        stop_signal=signal.SIGTERM,
        stop_timeout=15.0,  # it waits for its hooks
        log=folder.log("node"),
        pid_file=folder.pid_file("node"),
        folder=CHECKOUT,
    )
    url = f"http://{ports.LOOPBACK}:{ports.API.number(environ)}/v3/paths/list"
    async with running(program) as child, aiohttp.ClientSession() as http:
        await child.until(lambda: answers(http, url, 200, 401))
        yield child


def _own_environ() -> dict[str, str]:
    """MediaMTX takes any MTX_… for a setting, and has no use for our secrets."""
    mine = ("CONTROL_PLANE_", "DATABASE_URL", "REDIS_URL", "MTX_")
    return {n: v for n, v in os.environ.items() if not n.startswith(mine)}


def _configure(kind: Kind, folder: Folder, name: str) -> dict[str, str]:
    """Writes mediamtx.yml, as the settings of this process have it; returns what the
    hook command needs in its environment."""
    known = settings()
    hook = str(CHECKOUT / "hooks" / "notify.sh")
    config = replace(node_config(known, name), hook_command=hook)
    try:
        text = render(config, kind.version)
    except ValueError as error:
        raise LocalError(str(error)) from None
    write_private(folder.node_configuration, text)
    return hook_environ(known, name)
