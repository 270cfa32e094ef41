"""Puts the web player into the wheel; hatchling runs it at each build.

It is the npm package that package-lock.json pins, which npm checks against the lock's
hash. A checkout that was set up has it already.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLAYER = "control_plane/pages/player"
PACKAGE = f"{PLAYER}/node_modules/hls.js"
FILES = ("dist/hls.min.mjs", "LICENSE")
CI = ("npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund")


class PlayerInWheel(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return  # it runs from the checkout
        if not self._complete():
            self._fetch()
        build_data["artifacts"] += [f"/{PACKAGE}/{name}" for name in FILES]

    def _complete(self) -> bool:
        """Of the version that is wanted now."""
        player = Path(self.root) / PLAYER
        installed = player / "node_modules/.package-lock.json"
        return _pinned(player / "package-lock.json") == _pinned(installed)

    def _fetch(self) -> None:
        self.app.display_info("Fetching the web player …")
        try:
            subprocess.run(CI, cwd=Path(self.root) / PLAYER, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            self.app.abort(f"The web player could not be fetched with npm: {error}")


def _pinned(lock: Path) -> str:
    """The hash of the package; "" without the file."""
    if not lock.is_file():
        return ""
    packages = json.loads(lock.read_text("utf-8"))["packages"]
    return str(packages["node_modules/hls.js"]["integrity"])
