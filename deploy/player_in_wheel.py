"""Puts what browsers need of npm into the wheel; hatchling runs it at each build.

They are the packages that package-lock.json pins, which npm checks against the lock's
hashes. A checkout that was set up has it already.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLAYER = "control_plane/pages/player"
PACKAGES = f"{PLAYER}/node_modules"
FILES = (
    "hls.js/dist/hls.min.mjs",
    "hls.js/LICENSE",
    "uplot/dist/uPlot.esm.js",
    "uplot/dist/uPlot.min.css",
    "uplot/LICENSE",
    "swagger-ui-dist/swagger-ui-bundle.js",
    "swagger-ui-dist/swagger-ui.css",
    "swagger-ui-dist/LICENSE",
)
CI = ("npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund")


class PlayerInWheel(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return  # it runs from the checkout
        if not self._complete():
            self._fetch()
        build_data["artifacts"] += [f"/{PACKAGES}/{name}" for name in FILES]

    def _complete(self) -> bool:
        """Of the versions that are wanted now."""
        player = Path(self.root) / PLAYER
        installed = player / "node_modules/.package-lock.json"
        return _pinned(player / "package-lock.json") == _pinned(installed)

    def _fetch(self) -> None:
        self.app.display_info("Fetching the web player …")
        try:
            subprocess.run(CI, cwd=Path(self.root) / PLAYER, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            self.app.abort(f"The web player could not be fetched with npm: {error}")


def _pinned(lock: Path) -> dict[str, str]:
    """The hash of each package; none without the file."""
    if not lock.is_file():
        return {}
    packages = json.loads(lock.read_text("utf-8"))["packages"]
    return {name: one["integrity"] for name, one in packages.items() if name}
