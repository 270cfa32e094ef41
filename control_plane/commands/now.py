"""``control-plane now``: what is live, and what needs somebody."""

from functools import partial

import click

from control_plane.commands.asking import Json, get
from control_plane.commands.output import again, as_json, only, show, show_one, watched
from control_plane.commands.sessions import session_row

GUIDE = "/ops/guide/"


@click.command()
@watched
@as_json
def now(watch: float | None, as_json: bool) -> None:
    """What is live now, and what needs attention, the gravest first."""
    again(lambda: get("/v1/now"), watch, partial(_tell, json_wanted=as_json))


def _tell(found: Json, *, json_wanted: bool) -> None:
    if json_wanted:
        show_one(found, json_wanted=True)
        return
    click.echo(_summary(found["totals"]))
    for title in ("attention", "sessions"):
        if rows := found[title]:
            click.echo(f"\n{title}:")
            show(rows, json_wanted=False, shape=SHAPES[title])


def _summary(totals: Json) -> str:
    counted = ("live", "reconnecting", "viewers", "nodes")
    parts = [f"{name} {totals[name]}" for name in counted]
    return ", ".join((*parts, f"kbit/s {totals['bitrate'] // 1000}"))


def _concern(one: Json) -> Json:
    """With the section of docs/operations.md that says what to do."""
    read = one["runbook"].removeprefix(GUIDE)
    return {**only(one, "about id words"), "read": read}


SHAPES = {"attention": _concern, "sessions": session_row}
