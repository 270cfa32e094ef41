"""Free ports, of this process alone: tests of several workers and several checkouts
run on one machine, and a port that is only found free is anybody's until it is used."""

import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Iterator
from functools import cache
from itertools import cycle
from pathlib import Path

#: Below the range that clients' own connections are given.
FIRST, LAST, BLOCK = 10_000, 30_000, 200


def free_ports(count: int) -> list[int]:
    """Different ones; each is handed out again only when all of ours have been."""
    ours = _ours()
    found: list[int] = []
    while len(found) < count:
        port = next(ours)
        if _is_free(port):
            found.append(port)
    return found


@cache
def _ours() -> Iterator[int]:
    """A block that is locked until this process ends, however it ends."""
    folder = Path(tempfile.gettempdir()) / f"control-plane-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    blocks = list(range(FIRST, LAST, BLOCK))
    random.shuffle(blocks)
    for first in blocks:
        lock = os.open(folder / str(first), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            continue
        return cycle(range(first, first + BLOCK))
    raise RuntimeError("every block of ports is taken")


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
