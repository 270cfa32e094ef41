"""How every command prints: tables for people, plain lines where no terminal is, or
JSON with ``--json``: what ``/v1`` says, of lists the rows.

All show what users wrote with escapes for all that a terminal would obey.
"""

import contextlib
import json
import math
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from control_plane.base.texts import visible
from control_plane.commands.asking import pause

AGAIN = 2.0  # seconds
NOTHING = "-"

Row = Mapping[str, Any]
Shape = Callable[[Any], Row]


class Number(click.FloatRange):
    """One that counts: nan is in every range."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value} is no number.", param, ctx)
        return found


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
watched = click.option(
    "--watch",
    type=Number(min=0.1),
    is_flag=False,
    flag_value=AGAIN,
    metavar="[SECONDS]",
    help=f"Again and again until Ctrl-C, every {AGAIN:g} seconds.",
)
limited = click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="At most so many.",
)
because = click.option("--reason", default="", help="Kept in the audit log.")
to_file = click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Write this file, for its owner only, instead of printing.",
)


def show(rows: Sequence[Row], *, json_wanted: bool, shape: Shape = dict) -> None:
    """A table with a line for each row. ``shape``: what people see of one."""
    if json_wanted:
        _print_json(list(rows))
    elif rows:
        _print_table([shape(row) for row in rows])
    else:
        click.echo("none")


def show_one(row: Row, *, json_wanted: bool, shape: Shape = dict) -> None:
    if json_wanted:
        _print_json(row)
        return
    seen = shape(row)
    width = max(len(name) for name in seen)
    for name, value in seen.items():
        click.echo(f"{name.ljust(width)}  {_cell(value)}")


def show_again(
    look: Callable[[], Sequence[Row]],
    watch: float | None,
    *,
    json_wanted: bool,
    shape: Shape,
) -> None:
    """Once, or every so many seconds until Ctrl-C. A look that fails later on is said,
    and does not end it."""
    show(look(), json_wanted=json_wanted, shape=shape)
    with contextlib.suppress(KeyboardInterrupt):
        while watch is not None:
            pause(watch)
            try:
                found = look()
            except click.ClickException as error:
                error.show()
                continue
            click.clear()
            show(found, json_wanted=json_wanted, shape=shape)


def moment(text: str | None) -> str:
    """A time of ``/v1``'s, to the second."""
    return re.sub(r"\.\d+", "", text or "")


def only(row: Row, names: str) -> dict[str, Any]:
    return {name: row[name] for name in names.split()}


def give(text: str, file: Path | None) -> None:
    """What holds a secret: printed, or for its owner alone in ``file``."""
    if file is None:
        click.echo(text, nl=False)
    else:
        write_private(file, text)


def write_private(file: Path, text: str) -> None:
    """For its owner alone, and whole or not at all."""
    half = file.with_name(f".{file.name}.new")
    half.unlink(missing_ok=True)
    try:
        with os.fdopen(
            os.open(half, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w"
        ) as new:
            new.write(text)
        half.replace(file)
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}.") from None
    finally:
        half.unlink(missing_ok=True)


def _print_json(value: object) -> None:
    """In ASCII, so nothing is left to escape."""
    click.echo(json.dumps(value, indent=2, default=str))


def _print_table(rows: Sequence[Row]) -> None:
    columns = {name: [_cell(row[name]) for row in rows] for name in rows[0]}
    if sys.stdout.isatty():
        _print_rich({n: c for n, c in columns.items() if set(c) != {NOTHING}})
    else:
        _print_plain([[name, *cells] for name, cells in columns.items()])


def _print_plain(columns: Sequence[Sequence[str]]) -> None:
    """Whole, however long a line becomes."""
    widths = [max(map(len, column)) for column in columns]
    for line in zip(*columns, strict=True):
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _print_rich(columns: Mapping[str, Sequence[str]]) -> None:
    from rich import box, console, table, text  # a start without a table needs none

    made = table.Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for name in columns:
        made.add_column(name, overflow="fold")
    for row in zip(*columns.values(), strict=True):
        # A plain str would be read as markup.
        made.add_row(*(text.Text(cell) for cell in row))
    console.Console(file=sys.stdout).print(made)


def _cell(value: object) -> str:
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    return NOTHING if value in (None, "") else visible(str(value))
