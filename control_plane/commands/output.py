"""How every command prints: lines for people, or JSON with ``--json``.

Both show what users wrote with escapes for all that a terminal would obey.
"""

import asyncio
import contextlib
import getpass
import json
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import click

from control_plane.audit.log import acting
from control_plane.audit.model import Actor
from control_plane.base.faults import Away
from control_plane.base.redis import BadUrl
from control_plane.base.refusals import Refusal
from control_plane.base.schema import MayNotMigrate
from control_plane.base.texts import visible
from control_plane.config.settings import Settings, SettingsError, load
from control_plane.web import logs
from control_plane.wiring.services import Services, services

T = TypeVar("T")

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
to_file = click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Write this file, for its owner only, instead of printing.",
)


def settings() -> Settings:
    try:
        return load()
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


def run(work: Callable[[Services], Awaitable[T]]) -> T:
    """Open the stores, do one thing, close them."""

    logs.set_up("warning", readable=True)

    async def whole() -> T:
        who = Actor("command", getpass.getuser())
        async with services(settings()) as opened:
            with acting(who):
                return await work(opened)

    try:
        with explained():
            return asyncio.run(whole())
    except Refusal as refusal:
        raise click.ClickException(refusal.sentence) from None


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """What the stores have against it, as a sentence."""
    try:
        yield
    except (BadUrl, MayNotMigrate) as error:
        raise click.ClickException(str(error)) from None
    except Away as error:
        raise click.ClickException(f"Postgres does not answer: {error}") from None


def show(rows: Sequence[Mapping[str, object]], *, json_wanted: bool) -> None:
    """A table with a line for each row."""
    if json_wanted:
        _print_json(list(rows))
        return
    if not rows:
        click.echo("none")
        return
    names = list(rows[0])
    table = [names, *([_cell(row[name]) for name in names] for row in rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(names))]
    for line in table:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def show_one(row: Mapping[str, object], *, json_wanted: bool) -> None:
    if json_wanted:
        _print_json(row)
        return
    width = max(len(name) for name in row)
    for name, value in row.items():
        click.echo(f"{name.ljust(width)}  {_cell(value)}")


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


def _cell(value: object) -> str:
    return "-" if value in (None, "") else visible(str(value))
