"""The log of events, read on from a cursor."""

import json
from collections.abc import Iterable, Iterator

import click

from control_plane.commands.asking import Json, get

PAGE = 1000  # events


def everything(after: str = "", **wanted: str) -> Iterator[Json]:
    """All that is there now."""
    more = True
    while more:
        page = get("/v1/events", after=after, limit=PAGE, **wanted)
        yield from page["events"]
        after, more = page["next"], page["more"]


def print_all(found: Iterable[Json]) -> None:
    for event in found:
        click.echo(json.dumps(event))
