"""What users wrote cannot play a row of the table, or anything else, to an operator."""

import json
from pathlib import Path

import click
import pytest

from control_plane.commands.output import give, show, show_one
from tests.support.small_disk import small_folder

FORGED = "a@b.c\x1b[2K\x1b[1A\r1  paid\n2  paid\u202e\x9b\x7f"


def test_a_table_has_one_line_for_each_row(capsys: pytest.CaptureFixture[str]) -> None:
    show([{"id": 1, "to": FORGED}, {"id": 2, "to": "b@c.d"}], json_wanted=False)
    lines = capsys.readouterr().out.split("\n")
    assert [line[:1] for line in lines] == ["i", "1", "2", ""]
    assert all(line.isprintable() for line in lines)
    assert lines[1].startswith(r"1   a@b.c\u001b[2K")


@pytest.mark.parametrize("one", [False, True])
def test_json_says_the_same_in_characters_that_show(
    capsys: pytest.CaptureFixture[str], one: bool
) -> None:
    row = {"id": 1, "to": FORGED}
    if one:
        show_one(row, json_wanted=True)
    else:
        show([row], json_wanted=True)
    out = capsys.readouterr().out
    assert all(line.isprintable() for line in out.split("\n"))
    assert json.loads(out) == (row if one else [row])


def test_one_row_has_a_line_for_each_field(capsys: pytest.CaptureFixture[str]) -> None:
    show_one({"id": 1, "to": FORGED, "note": None}, json_wanted=False)
    lines = capsys.readouterr().out.split("\n")
    assert [line.split(" ")[0] for line in lines] == ["id", "to", "note", ""]
    assert all(line.isprintable() for line in lines)


async def test_a_full_disk_is_told_and_keeps_the_old_file(tmp_path: Path) -> None:
    async with small_folder(tmp_path, "8k") as disk:
        file = disk / "mediamtx.yml"
        give("old", file)
        with pytest.raises(click.ClickException, match="No space left on device"):
            give("new" * 10_000, file)
        assert [one.read_text() for one in disk.iterdir()] == ["old"]
