"""The picture of the rooms in CONTRIBUTING.md is the real structure."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
HOUSES = ("control_plane", "hooks", "mediamtx", "deploy", "bench", "tests")
INDENT = 2  # blanks for each level


def _drawn() -> set[str]:
    """Folders are the words that end in a slash, before the first two blanks."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    block = text.partition("## The rooms")[2].split("```")[1]
    found: set[str] = set()
    above: list[str] = []
    for line in block.splitlines():
        words = line.strip().partition("  ")[0].split()
        rooms = [word.rstrip("/") for word in words if word.endswith("/")]
        if not rooms:
            continue
        level = (len(line) - len(line.lstrip())) // INDENT
        above = above[:level]
        found |= {"/".join([*above, room]) for room in rooms}
        above.append(rooms[0])
    return found


def _real() -> set[str]:
    """Folders with Python in them, of the tests only the first level."""
    files = [file for house in HOUSES for file in (ROOT / house).rglob("*.py")]
    folders = {file.parent.relative_to(ROOT).as_posix() for file in files}
    return {one for one in folders if not one.startswith("tests/")}


def test_the_rooms_are_as_drawn() -> None:
    assert _drawn() == _real()
