"""What users wrote cannot play a row of the table, or anything else, to an operator."""

import contextlib
import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from control_plane.base.texts import visible
from control_plane.commands.output import Row, give, moment, show, show_one
from tests.support.small_disk import small_folder

STYLE = re.compile(r"\x1b\[[0-9;]*m")
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


def test_what_has_parts_is_json_in_its_cell(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_one({"data": {"node": None, "to": ["é"]}}, json_wanted=False)
    assert capsys.readouterr().out == 'data  {"node": null, "to": ["é"]}\n'


LONG = "long " * 60
MARKUP = "[red]x[/red] [link=http://a]b :smile: " + FORGED


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Callable[[Row], str]:
    """What comes out at a terminal of 60 characters, or as many as COLUMNS says,
    without colours."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "60")

    def show_there(row: Row) -> str:
        ours, theirs = os.openpty()
        with os.fdopen(ours, "rb", buffering=0) as reader:
            with monkeypatch.context() as here, os.fdopen(theirs, "w") as screen:
                here.setattr(sys, "stdout", screen)
                show([row], json_wanted=False)
            came = b"".join(_to_the_end(reader)).decode()
        assert STYLE.search(came)
        return STYLE.sub("", came)

    return show_there


def _to_the_end(terminal: io.RawIOBase) -> Iterator[bytes]:
    """What was written gets there a moment later; who wrote it has gone."""
    with contextlib.suppress(OSError):  # so Linux says it
        while some := terminal.read(65_536):
            yield some


def test_at_a_terminal_nothing_is_markup(shown: Callable[[Row], str]) -> None:
    lines = shown({"id": 1, "to": MARKUP}).splitlines()
    assert all(line.isprintable() and len(line) <= 60 for line in lines)
    row = "".join(line[4:] for line in lines if not line.startswith(" id"))
    assert visible(MARKUP).replace(" ", "") in row.replace(" ", "")


def test_at_a_terminal_nothing_is_cut(shown: Callable[[Row], str]) -> None:
    assert shown({"id": 1, "to": "x" * 200}).count("x") == 200


TIMES = {
    "created_at": "2020-01-31T10:20:30.123456Z",
    "last_used_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.5Z"),
    "expires_at": "2020-01-31T10:20:30Z",
    "revoked_at": None,
}


@pytest.mark.parametrize("width", [60, 80, 100])
def test_at_a_terminal_a_time_is_in_one_piece(
    shown: Callable[[Row], str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    times = {name: moment(text) for name, text in TIMES.items()}
    row = {"id": 1, "title": LONG} | times | {"again": moment("2020-01-31T10:20:30Z")}
    lines = shown(row).splitlines()
    assert all(len(line) <= width for line in lines)
    told = r"2020-01-31 +(\d\d:\d\d:\d\dZ|\d\d-\d\d .*Z) +2020-01-31 +2020-01-31"
    assert re.search(told, "\n".join(lines))


def test_at_a_terminal_with_room_a_time_is_told_in_full(
    shown: Callable[[Row], str],
) -> None:
    assert "2020-01-31T10:20:30Z" in shown({"id": 1, "at": moment(TIMES["created_at"])})


def test_at_a_narrow_terminal_no_time_is_cut(
    shown: Callable[[Row], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    row = {str(n): moment("2020-01-31T10:20:30Z") for n in range(5)}
    lines = shown(row).splitlines()
    assert len(re.findall(r"\d", "".join(lines[1:]))) == 5 * len("20200131")
    assert all(len(line) <= 20 for line in lines)


def test_a_time_says_as_much_as_differs_from_now() -> None:
    now = datetime(2026, 11, 29, 12, tzinfo=UTC)
    said = [
        moment(text).short(now)
        for text in (
            "2026-11-29T16:18:29.75Z",
            "2026-11-30T01:18:29+02:00",
            "2026-11-28T16:18:29Z",
            "2025-11-29T16:18:29Z",
        )
    ]
    assert said == ["16:18:29Z", "23:18:29Z", "11-28 16:18Z", "2025-11-29"]


def test_at_a_terminal_a_column_of_nothing_is_left_out(
    shown: Callable[[Row], str],
) -> None:
    assert shown({"id": 1, "ended_at": None, "viewers": 0}).split()[:2] == [
        "id",
        "viewers",
    ]


def test_where_no_terminal_is_a_row_stays_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    show([{"id": 1, "to": LONG, "last": MARKUP}], json_wanted=False)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert LONG.strip() in lines[1]
    assert lines[1].endswith(visible(MARKUP))
