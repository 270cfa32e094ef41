"""How much room there is on disks."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

from prometheus_client import Gauge

from control_plane.base.database import Executor
from control_plane.base.faults import Full
from control_plane.base.tasks import Loop

LOOK_EVERY = 10.0  # seconds
FREE = Gauge("control_plane_folder_free_bytes", "On the disk of a folder.", ["folder"])
SIZE = Gauge("control_plane_folder_size_bytes", "Of the disk of a folder.", ["folder"])
#: More than it may keep in memory goes into a file beside the tables, and away again
#: at the end. What is written regularly does not tell: the few rows of the leases are
#: changed in the room that they have.
SPILLS = """
    SET LOCAL work_mem = '64kB'; SET LOCAL temp_tablespaces = '';
    SELECT count(*) FROM generate_series(1, 10000)
"""


async def postgres_has_some(executor: Executor) -> bool:
    """On the disk of its tables. Raises Away."""
    try:
        await executor.execute(SPILLS)
    except Full:
        return False
    return True


class Disk(NamedTuple):
    """Bytes, of those that are not root's alone."""

    free: int
    size: int

    @property
    def used(self) -> float:
        """0 to 1."""
        return 1 - self.free / self.size if self.size else 0.0


class Folder:
    """``disk``: what it is on, as last seen; None: there is no such folder here. A disk
    that hangs holds nobody who asks."""

    def __init__(self, name: str, path: Path | None) -> None:
        self.name = name
        self.path = path
        self.disk: Disk | None = None
        self._looking = False

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self._looking = True
        async with Loop(f"{self.name}_disk", self._look, LOOK_EVERY).running():
            yield

    async def seen(self) -> Disk | None:
        """``disk``; where nothing looks again and again, as it is now."""
        if not self._looking:
            await self._look()
        return self.disk

    async def _look(self) -> None:
        self.disk = await asyncio.to_thread(_disk, self.path)
        if self.disk is not None:
            FREE.labels(self.name).set(self.disk.free)
            SIZE.labels(self.name).set(self.disk.size)


def _disk(path: Path | None) -> Disk | None:
    if path is None or not path.is_dir():
        return None
    found = shutil.disk_usage(path)
    return Disk(found.free, found.free + found.used)
