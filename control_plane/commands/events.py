"""``control-plane events``: the log."""

import asyncio
import json
from collections.abc import Iterable
from datetime import date

import click

from control_plane.commands.output import as_json, run, show_one
from control_plane.events import reference
from control_plane.events.model import (
    BadCursor,
    Event,
    Position,
    position,
    told,
)
from control_plane.events.reading import Wanted
from control_plane.events.types import KINDS
from control_plane.wiring.services import Services

PAGE = 1000  # events
POLL = 0.5  # seconds

types = click.option(
    "--type", "types", multiple=True, type=click.Choice(sorted(KINDS)), help="Only it."
)


@click.group()
def events() -> None:
    """Everything that happened, in order."""


@events.command("tail")
@types
@click.option("--lines", default=10, show_default=True, help="Of the last so many.")
@click.option("--follow", "-f", is_flag=True, help="Go on until Ctrl-C.")
def tail(types: tuple[str, ...], lines: int, follow: bool) -> None:
    """Print what happened last, a JSON object a line."""

    async def work(services: Services) -> None:
        reading, of = services.events.reading, Wanted(types)
        newest = await reading.newest(lines)
        _print(event for event in newest if of.takes(event))
        start = newest[-1].position if newest else await reading.end()
        while follow:
            start = await _print_all(services, start, of)
            await asyncio.sleep(POLL)

    run(work)


@events.command("show")
@click.argument("event_id")
@as_json
def show(event_id: str, as_json: bool) -> None:
    """One event by its id, evt_12."""

    async def work(services: Services) -> Event:
        return await services.events.reading.get(event_id)

    show_one(told(run(work)), json_wanted=as_json)


def _month(
    _context: click.Context, _option: click.Parameter, text: str | None
) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise click.BadParameter("It is no month, like 2026-11.") from None


@events.command("export")
@types
@click.option("--after", default="", help="A cursor; default: the beginning.")
@click.option("--month", metavar="YYYY-MM", callback=_month, help="Only it, of UTC.")
def export(types: tuple[str, ...], after: str, month: date | None) -> None:
    """Print the log, a JSON object a line. The last one's cursor goes on."""
    try:
        start = position(after)
    except BadCursor:
        raise click.BadParameter("It is no cursor of this log.") from None
    run(lambda services: _print_all(services, start, Wanted(types, month=month)))


@events.command("types")
def print_types() -> None:
    """Print what each type of event says, with its JSON Schema."""
    click.echo(reference.chapter(), nl=False)


async def _print_all(services: Services, start: Position, of: Wanted) -> Position:
    more = True
    while more:
        page = await services.events.reading.page(start, PAGE, of)
        _print(page.events)
        start, more = page.next, page.more
    return start


def _print(found: Iterable[Event]) -> None:
    for event in found:
        click.echo(json.dumps(told(event)))
