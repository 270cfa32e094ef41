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
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from control_plane.base.texts import visible
from control_plane.commands.asking import pause

if TYPE_CHECKING:
    from rich.table import Table

AGAIN = 2.0  # seconds
NOTHING = "-"
WIDEST = 1_000_000  # characters: as wide as it likes
NARROWEST = 4  # characters of a column, with the gap behind it

T = TypeVar("T")

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
    again(look, watch, partial(show, json_wanted=json_wanted, shape=shape))


def again(
    look: Callable[[], T], watch: float | None, tell: Callable[[T], None]
) -> None:
    """As :func:`show_again`; ``tell`` prints what a look found."""
    if watch is None:
        tell(look())
        return
    with until_ctrl_c():
        tell(look())
        while True:
            pause(watch)
            try:
                found = look()
            except click.ClickException as error:
                error.show()
                continue
            click.clear()
            tell(found)


def until_ctrl_c() -> AbstractContextManager[None]:
    """Around what has no other end: it was not cut short."""
    return contextlib.suppress(KeyboardInterrupt)


class Moment(str):
    """A time of ``/v1``'s, to the second; empty: none."""

    __slots__ = ()

    def short(self, now: datetime) -> str:
        """As far as it differs from ``now``, which is in UTC, as it is."""
        at = datetime.fromisoformat(self).astimezone(UTC)
        if at.date() == now.date():
            return f"{at:%H:%M:%SZ}"
        return f"{at:%m-%d %H:%MZ}" if at.year == now.year else f"{at:%Y-%m-%d}"


def moment(text: str | None) -> Moment:
    return Moment(re.sub(r"\.\d+", "", text or ""))


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
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    if sys.stdout.isatty():
        _print_rich(
            {n: c for n, c in columns.items() if set(map(_cell, c)) != {NOTHING}}
        )
    else:
        _print_plain([[name, *map(_cell, column)] for name, column in columns.items()])


def _print_plain(columns: Sequence[Sequence[str]]) -> None:
    """Whole, however long a line becomes."""
    widths = [max(map(len, column)) for column in columns]
    for line in zip(*columns, strict=True):
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _print_rich(columns: Mapping[str, Sequence[object]]) -> None:
    """Times stay in one piece; where there is too little room they become shorter."""
    from rich import console, measure  # a start without a table needs none

    screen = console.Console(file=sys.stdout)
    cells = {
        name: [_cell(value) for value in column] for name, column in columns.items()
    }
    times = {name for name, column in columns.items() if _are_times(column)}
    made = _table(cells, times)
    wide = screen.options.update(max_width=WIDEST)
    if measure.Measurement.get(screen, wide, made).maximum > screen.width:
        cells |= {name: _short(columns[name]) for name in times}
        made = _table(cells, times if _have_room(cells, times, screen.width) else ())
    screen.print(made)


def _have_room(
    columns: Mapping[str, Sequence[str]], whole: Set[str], width: int
) -> bool:
    """Without it those would be cut, not only the others be narrow."""
    taken = sum(1 + max(map(len, (name, *columns[name]))) for name in whole)
    return taken + NARROWEST * (len(columns) - len(whole)) <= width


def _table(columns: Mapping[str, Sequence[str]], whole: Collection[str]) -> "Table":
    """``whole``: the names of those whose cells have one line each."""
    from rich import box, table, text

    made = table.Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for name in columns:
        made.add_column(name, overflow="fold", no_wrap=name in whole)
    for row in zip(*columns.values(), strict=True):
        # A plain str would be read as markup.
        made.add_row(*(text.Text(cell) for cell in row))
    return made


def _are_times(column: Sequence[object]) -> bool:
    return all(isinstance(one, Moment) for one in column)


def _short(times: Sequence[object]) -> list[str]:
    now = datetime.now(UTC)
    return [
        one.short(now) if isinstance(one, Moment) and one else NOTHING for one in times
    ]


def _cell(value: object) -> str:
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    return NOTHING if value in (None, "") else visible(str(value))
