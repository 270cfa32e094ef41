"""Servers that an earlier start left behind, and how we know that they are ours."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from deploy.local.errors import LocalError

STOP_TIMEOUT = 15.0  # seconds for a leftover to end by itself
POLL_INTERVAL = 0.02  # seconds


def birth(pid: int) -> str | None:
    """What tells this process from any other that had, or will have, its number:
    when it started. None: there is no such process (or only its zombie)."""
    if sys.platform == "linux":
        return _birth_on_linux(pid)
    asked = subprocess.run(
        ["ps", "-p", str(pid), "-o", "stat=,lstart="],
        capture_output=True,
        text=True,
        check=False,
    )
    state, _, started = asked.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else started.strip()


def _birth_on_linux(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    # proc(5): the name, in brackets, may itself hold brackets and spaces.
    fields = stat.rpartition(")")[2].split()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text("utf-8").strip()
    return None if fields[0] in "ZX" else f"{boot} {fields[19]}"


def command(pid: int) -> str:
    """The name of its program; empty: no such process."""
    if sys.platform == "linux":
        with suppress(OSError):
            return Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").strip()
        return ""
    return subprocess.run(
        ["ps", "-p", str(pid), "-o", "comm="],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()


def remember(file: Path, pid: int) -> None:
    file.write_text(f"{pid} {birth(pid)}\n", "utf-8")


def forget(file: Path) -> None:
    file.unlink(missing_ok=True)


def remembered(file: Path) -> int | None:
    """The process in the file, if it still runs and is not merely its number."""
    try:
        pid, _, born = file.read_text("utf-8").strip().partition(" ")
    except OSError:
        return None
    if not pid.isdigit() or not born or birth(int(pid)) != born:
        return None
    return int(pid)


async def stop(file: Path, stop_signal: signal.Signals) -> bool:
    """End the process that the file remembers, and what it started; False: none.
    LocalError: it is another user's."""
    pid = remembered(file)
    if pid is None:
        forget(file)
        return False
    try:
        os.kill(pid, stop_signal)
    except ProcessLookupError:
        pass  # it has ended meanwhile
    except PermissionError:
        raise LocalError(
            f"{command(pid)} of an earlier run, process {pid}, is another user's. "
            f"End it as root: sudo kill {pid}"
        ) from None
    deadline = time.monotonic() + STOP_TIMEOUT
    while remembered(file) is not None:
        if time.monotonic() > deadline:
            kill_group(pid)
        await asyncio.sleep(POLL_INTERVAL)
    kill_group(pid)
    forget(file)
    return True


def kill_group(pid: int) -> None:
    """Each server leads a process group of its own."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
