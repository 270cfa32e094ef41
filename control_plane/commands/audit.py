"""``control-plane audit``: what operators did, and what the service did by itself."""

import json
from dataclasses import asdict

import click

from control_plane.audit.model import Entry
from control_plane.commands.output import as_json, run, show
from control_plane.wiring.services import Services


@click.group()
def audit() -> None:
    """The log of acts, each chained to the one before."""


@audit.command("show")
@click.option("--limit", default=50, show_default=True, help="At most so many.")
@click.option("--subject", default="", help="Only of user/7, session/12 …")
@as_json
def show_entries(limit: int, subject: str, as_json: bool) -> None:
    """Show entries, the newest first."""
    found = run(lambda services: services.audit.page(limit, subject=subject))
    show([_row(entry) for entry in found], json_wanted=as_json)


@audit.command("export")
def export() -> None:
    """Print everything in order, a JSON object a line."""

    async def work(services: Services) -> None:
        async for entry in services.audit.everything():
            click.echo(json.dumps(_row(entry), default=str))

    run(work)


@audit.command("verify")
def verify() -> None:
    """Follow the chain to its end; fails where anything was changed or cut off."""
    found = run(lambda services: services.audit.verify())
    if found.broken:
        raise click.ClickException(f"Entry {found.broken} is not what was written.")
    click.echo(f"{found.entries} entries are as they were written.")
    click.echo(f"The last one's hash is {found.head.hex()}.")


def _row(entry: Entry) -> dict[str, object]:
    return asdict(entry) | {"hash": entry.hash.hex()}
