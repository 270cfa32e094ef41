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
    folder, lock = _locked_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _locked_folder() -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        if (lock := _lock(folder)) is None:
            continue  # another node that starts now took it for a leftover
        if folder.exists():
            return folder, lock
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
