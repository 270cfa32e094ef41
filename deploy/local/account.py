"""Postgres refuses to run as root; here is the user it runs as instead."""

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import LocalError


@dataclass(frozen=True)
class Account:
    """A user without rights that the system already has. initdb insists on a name
    in the system's list of users, so a free number will not do."""

    uid: int
    gid: int

    def reaches(self, path: Path) -> bool:
        """Whether every folder above the path lets this account pass."""
        return all(self._passes(folder.stat()) for folder in path.parents)

    def _passes(self, found: os.stat_result) -> bool:
        own = found.st_uid == self.uid
        return bool(found.st_mode & (stat.S_IXUSR if own else stat.S_IXOTH))

    def runs(self, program: Path) -> bool:
        """Tried, not guessed: a closed home, a tight umask, a noexec mount …"""
        try:
            tried = subprocess.run(
                [program, "--version"],
                user=self.uid,
                group=self.gid,
                extra_groups=[],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )
        except OSError:
            return False
        return tried.returncode == 0


def unprivileged() -> Account | None:
    """Whom Postgres runs as when we are root. None: we are not, so as ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise LocalError(
            "Postgres refuses to run as root, and this system has no user `nobody`. "
            "Run this as another user, or set DATABASE_URL."
        ) from None
    return Account(entry.pw_uid, entry.pw_gid)


def make_private(folder: Path, account: Account | None) -> None:
    """A folder that only the server's user (and root) can enter. One that is there
    already stays as it is."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        if account is not None:
            os.chown(folder, account.uid, account.gid)


def copied(root: Path, parts: Iterable[str], target: Path) -> Path:
    """The parts of root, for everyone to read and run; made whole or not at all."""
    if not target.exists():
        half = target.with_name(f"{target.name}.{os.getpid()}")
        for part in parts:
            shutil.copytree(root / part, half / part, symlinks=True)
        for path in (half, *half.rglob("*")):
            if not path.is_symlink():
                runs = path.is_dir() or os.access(path, os.X_OK)
                path.chmod(0o755 if runs else 0o644)
        half.rename(target)
    return target
