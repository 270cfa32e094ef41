"""The pages' own files."""

from pathlib import Path

import structlog

from control_plane.web import files
from control_plane.web.files import File

log = structlog.get_logger(__name__)

STATIC = Path(__file__).parent / "static"
PLAYER_NAME = "hls.mjs"
PLAYER_MARK = b"{{player}}"


def home_page() -> File:
    return files.read(STATIC / "index.html")


def watch_page(*, has_player: bool) -> File:
    body = (STATIC / "watch.html").read_bytes()
    mark = f"/assets/{PLAYER_NAME}".encode() if has_player else b""
    return files.file(body.replace(PLAYER_MARK, mark), files.TYPES[".html"])


def assets(player: Path) -> dict[str, File]:
    everything = files.read_all(STATIC)
    found = {n: one for n, one in everything.items() if not n.endswith(".html")}
    if player.is_file():
        found[PLAYER_NAME] = files.read(player)
    else:
        log.error(
            "the player is not installed, so most browsers play nothing:"
            " run `npm ci` in control_plane/pages/player and start again"
        )
    return found
