"""Where the segments are, for as long as the node runs."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

PREFIX = "live-sandbox-"


@contextlib.contextmanager
def own_folder() -> Iterator[Path]:
    """A new one; those of nodes that were killed are removed."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        _remove_unless_used(left)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        # Another node that starts now may take it for a leftover.
        if (lock := _lock(folder)) is not None and folder.exists():
            break
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _remove_unless_used(folder: Path) -> None:
    if (lock := _lock(folder)) is not None:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _lock(folder: Path) -> int | None:
    """Held until it is closed, or its process ends in any way."""
    try:
        lock = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock
