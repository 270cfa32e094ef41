"""``control-plane events``: the log."""

import contextlib
from datetime import date

import click

from control_plane.commands.asking import get, pause
from control_plane.commands.log import PAGE, everything, print_all
from control_plane.commands.output import as_json, show_one, until_ctrl_c
from control_plane.events.model import BadCursor, position
from control_plane.events.types import KINDS

POLL = 0.5  # seconds

types = click.option(
    "--type", "types", multiple=True, type=click.Choice(sorted(KINDS)), help="Only it."
)


@click.group()
def events() -> None:
    """Everything that happened, in order."""


@events.command("tail")
@types
@click.option(
    "--lines",
    type=click.IntRange(1, 1000),
    default=10,
    show_default=True,
    help="Of the last so many.",
)
@click.option("--follow", "-f", "--watch", is_flag=True, help="Go on until Ctrl-C.")
def tail(types: tuple[str, ...], lines: int, follow: bool) -> None:
    """Print what happened last, a JSON object a line."""
    wanted = ",".join(types)
    with until_ctrl_c() if follow else contextlib.nullcontext():
        page = get("/v1/events/newest", limit=lines, types=wanted)
        print_all(page["events"])
        while follow:
            if not page["more"]:
                pause(POLL)
            page = get("/v1/events", after=page["next"], limit=PAGE, types=wanted)
            print_all(page["events"])


@events.command("show")
@click.argument("event_id")
@as_json
def show(event_id: str, as_json: bool) -> None:
    """One event by its id, evt_12."""
    show_one(get("/v1/events/{id}", id=event_id), json_wanted=as_json)


def _month(
    _context: click.Context, _option: click.Parameter, text: str | None
) -> str | None:
    if text is not None:
        try:
            date.fromisoformat(f"{text}-01")
        except ValueError:
            raise click.BadParameter("It is no month, like 2026-11.") from None
    return text


def _cursor(_context: click.Context, _option: click.Parameter, text: str) -> str:
    try:
        position(text)
    except BadCursor:
        raise click.BadParameter("It is no cursor of this log.") from None
    return text


@events.command("export")
@types
@click.option(
    "--after",
    default="",
    callback=_cursor,
    help="A cursor; default: the beginning.",
)
@click.option("--month", metavar="YYYY-MM", callback=_month, help="Only it, of UTC.")
def export(types: tuple[str, ...], after: str, month: str | None) -> None:
    """Print the log, a JSON object a line. The last one's cursor goes on."""
    print_all(everything(after, types=",".join(types), month=month or ""))


@events.command("types")
def print_types() -> None:
    """Print what each type of event says, with its JSON Schema."""
    from control_plane.events import reference

    click.echo(reference.chapter(), nl=False)
