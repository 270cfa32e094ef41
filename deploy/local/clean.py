"""Away with everything of earlier runs."""

import asyncio
import shutil
import signal

from deploy.local import leftover
from deploy.local.folder import Folder


def clean(folder: Folder) -> None:
    with folder.claimed():
        asyncio.run(_stop_leftovers(folder))
        if folder.postgres.is_symlink():
            shutil.rmtree(folder.postgres.resolve(), ignore_errors=True)
        shutil.rmtree(folder.path)


async def _stop_leftovers(folder: Folder) -> None:
    """They would go on without their files, and no later start would know them."""
    for name in ("node", "service"):
        await leftover.stop(folder.pid_file(name), signal.SIGTERM)
    await leftover.stop(folder.valkey / "valkey.pid", signal.SIGTERM)
    await leftover.stop(folder.postgres / "postgres.pid", signal.SIGINT)
