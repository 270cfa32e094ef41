"""``control-plane audit``: what operators did, and what the service did by itself."""

import json

import click

from control_plane.commands.asking import MOST, Json, get, rows
from control_plane.commands.output import as_json, limited, moment, only, show


@click.group()
def audit() -> None:
    """The log of acts, each chained to the one before."""


@audit.command("show")
@click.option("--subject", default="", help="Only of user/7, session/12 …")
@click.option("--actor", default="", help="Only by operator:ann, command:root …")
@limited
@as_json
def show_entries(subject: str, actor: str, limit: int, as_json: bool) -> None:
    """Show entries, the newest first."""
    found = rows("/v1/audit", limit, subject=subject, actor=actor)
    show(found, json_wanted=as_json, shape=_row)


@audit.command("export")
def export() -> None:
    """Print everything in order, a JSON object a line."""
    after: str | None = ""
    while after is not None:
        page = get("/v1/audit", oldest=True, after=after, limit=MOST)
        for entry in page["entries"]:
            click.echo(json.dumps(entry))
        after = page["next"]


@audit.command("verify")
def verify() -> None:
    """Follow the chain to its end; fails where anything was changed or cut off."""
    found = get("/v1/audit/verify")
    if found["broken"]:
        raise click.ClickException(f"Entry {found['broken']} is not what was written.")
    click.echo(f"{found['entries']} entries are as they were written.")
    click.echo(f"The last one's hash is {found['hash']}.")


def _row(one: Json) -> Json:
    at, what = moment(one["at"]), only(one, "actor act subject reason before after")
    return {"number": one["number"], "at": at, **what}
