"""systemd's units, run without systemd: their command, environment and user."""

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.local.account import unprivileged
from deploy.local.folder import CHECKOUT

FOLDER = CHECKOUT / "deploy/systemd"
#: For Python in a folder that is closed to all but root, as where root compiled it.
READS_ALL = "-all,+dac_read_search"


class Unit:
    def __init__(self, name: str, credentials: Path, instance: str = "") -> None:
        """``credentials``: the folder that systemd would make of LoadCredential=."""
        text = (FOLDER / name).read_text("utf-8")
        text = text.replace("%d", str(credentials)).replace("%i", instance)
        pairs = (line.partition("=") for line in text.splitlines())
        self._lines = [(key, value) for key, sign, value in pairs if sign]

    def _all(self, key: str) -> list[str]:
        return [value for name, value in self._lines if name == key]

    @property
    def credentials(self) -> list[str]:
        return [value.partition(":")[0] for value in self._all("LoadCredential")]

    @property
    def environment(self) -> dict[str, str]:
        """From the unit and from the example of the file that it names."""
        files = [Path(name).name for name in self._all("EnvironmentFile")]
        lines = [
            line
            for name in files
            if (FOLDER / name).exists()
            for line in (FOLDER / name).read_text("utf-8").splitlines()
        ]
        found = [*self._all("Environment"), *lines]
        return dict(one.split("=", 1) for one in found if one and one[0] != "#")

    def command(self, programs: Mapping[str, tuple[str, ...]]) -> list[str]:
        """``programs``: what is run in place of a program of its paths."""
        (line,) = self._all("ExecStart")
        program, *words = shlex.split(line)
        return [*_as_nobody(), *programs[program], *words]


def _as_nobody() -> list[str]:
    """As root only; who is not changes nothing."""
    who = unprivileged()
    if who is None:
        return []
    change = [f"--reuid={who.uid}", f"--regid={who.gid}", "--clear-groups"]
    kept = "-all" if who.runs(Path(sys.executable)) else READS_ALL
    sets = ("inh-caps", "ambient-caps", "bounding-set")
    return [
        "setpriv",
        *change,
        *(f"--{name}={kept}" for name in sets),
        "--no-new-privs",
    ]


def hand_over(file: Path, text: str) -> None:
    """For the units' user alone, as systemd does it."""
    file.write_text(text)
    file.chmod(0o400)
    if (who := unprivileged()) is not None:
        os.chown(file, who.uid, who.gid)
