"""``.local/``: everything that a run keeps, in one place that git ignores."""

import fcntl
import os
import secrets
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import LocalError

CHECKOUT = Path(__file__).resolve().parents[2]

SETTINGS = ("CONTROL_PLANE_", "DATABASE_URL", "REDIS_URL")


@dataclass(frozen=True)
class Folder:
    path: Path = CHECKOUT / ".local"

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def valkey(self) -> Path:
        return self.path / "valkey"

    @property
    def cache(self) -> Path:
        return self.path / "cache"

    @property
    def media(self) -> Path:
        return self.path / "media"

    @property
    def secret(self) -> Path:
        return self.path / "secret"

    @property
    def command(self) -> Path:
        return self.path / "control-plane"

    @property
    def node_configuration(self) -> Path:
        return self.path / "mediamtx.yml"

    def log(self, name: str) -> Path:
        return self.path / "log" / f"{name}.log"

    def pid_file(self, name: str) -> Path:
        return self.path / f"{name}.pid"

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Ours alone, until the context or the process ends, however it ends."""
        self.path.mkdir(mode=0o755, parents=True, exist_ok=True)
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(lock, self.path)
            yield
        finally:
            os.close(lock)

    def make_secret(self) -> None:
        """Made once: what was signed with it outlives a restart."""
        if not self.secret.exists():
            write_private(self.secret, secrets.token_urlsafe(32))

    def write_command(self, environ: Mapping[str, str]) -> None:
        """``.local/control-plane``: the command line with this run's settings. Not a
        file of settings to be read into a shell: a later run there would keep them."""
        ours = {n: v for n, v in environ.items() if n.startswith(SETTINGS)}
        lines = [f"export {n}={shlex.quote(v)}\n" for n, v in sorted(ours.items())]
        start = f'exec {shlex.quote(sys.executable)} -m control_plane "$@"\n'
        write_private(self.command, "".join(["#!/bin/sh\n", *lines, start]), 0o700)


def write_private(file: Path, text: str, mode: int = 0o600) -> None:
    """Never readable by others, not even for a moment."""
    file.unlink(missing_ok=True)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "w", encoding="utf-8") as output:
        output.write(text)


def _lock(lock: int, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(lock, 20, 0).decode().strip()
        raise LocalError(
            f"It is running already, as process {holder}, with its data in {folder}. "
            "Ctrl-C there stops it."
        ) from None
    except OSError as error:  # as some file systems of other machines say
        raise LocalError(f"{folder} cannot be locked: {error.strerror}.") from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
