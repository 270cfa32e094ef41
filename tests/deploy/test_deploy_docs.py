"""Each command of docs/deploy.md is ours, and takes what it is given; or stands in
deploy/checklist.yaml with what shows that it worked. Ours of other documents too."""

import re
import shlex
from pathlib import Path

import click
import pytest
import yaml

from control_plane.commands.main import main
from deploy.local.folder import CHECKOUT

OUR = re.compile(r"(?:[A-Z_]+=\S+ )?control-plane (.+)")
#: By deploy/compose/prepare.sh.
MADE = {f"deploy/compose/{name}" for name in ("acme", "certificates", ".env")}
#: They print secrets.
SECRET = ("mediamtx-config", "node-env", "edge-config")


def _commands(text: str) -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)
    return "".join(blocks).replace("\\\n", "").splitlines()


TEXT = (CHECKOUT / "docs/deploy.md").read_text("utf-8")
COMMANDS = _commands(TEXT)
OTHERS = [
    line
    for name in ("README.md", "docs/nodes.md", "docs/edges.md")
    for line in _commands((CHECKOUT / name).read_text("utf-8"))
]
OURS = [line for line in COMMANDS + OTHERS if OUR.match(line)]


def _words(line: str) -> list[str]:
    found = OUR.match(line)
    assert found is not None
    return shlex.split(found[1], comments=True)


@pytest.mark.parametrize("line", OURS)
def test_our_commands_are_taken(line: str) -> None:
    command: click.Command = main
    words = _words(line)
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words.pop(0))
        assert found is not None
        command = found
    command.make_context(command.name, words)


@pytest.mark.parametrize("line", OURS)
def test_no_secret_is_written_where_all_may_read_it(line: str) -> None:
    """`>` would, and empty the file before for a command that is refused."""
    words = _words(line)
    assert ">" not in words
    assert ("--output" in words) == (words[0] in SECRET)


def test_in_production_it_is_checked_with_an_id_token() -> None:
    """Nobody gets in there without one."""
    asked = [line for line in OURS if "check-api --url https:" in line]
    assert asked
    assert [line for line in asked if "--id-token" not in line] == []


def test_the_others_are_in_the_checklist_in_their_order() -> None:
    listed = yaml.safe_load((CHECKOUT / "deploy/checklist.yaml").read_text("utf-8"))
    assert [one["run"] for one in listed] == [
        line for line in COMMANDS if line not in OURS
    ]
    assert all(one["see"] for one in listed)


def test_the_files_that_it_names_are_there() -> None:
    for name in re.findall(r"deploy/[\w./@-]+\w", TEXT):
        if name not in MADE:
            assert (CHECKOUT / name).exists(), name


def test_documents_are_there() -> None:
    for name in re.findall(r"\]\(([\w.]+\.md)\)", TEXT):
        assert (CHECKOUT / "docs" / name).exists(), name


def test_it_names_our_version() -> None:
    version = re.search(
        r'^version = "(.+)"$', (CHECKOUT / "pyproject.toml").read_text(), re.M
    )
    assert version is not None
    wheel = Path(f"dist/live_control_plane-{version[1]}-py3-none-any.whl")
    assert str(wheel) in TEXT
