"""``control-plane upgrade``."""

import asyncio
import contextlib
from collections.abc import Iterator

import click

from control_plane.base import first_version
from control_plane.base.first_version import NotUpgraded
from control_plane.commands.backup import ledger_faults, owner
from control_plane.commands.beside import explained, settings
from control_plane.roles.running import migrated


@click.command()
@click.option(
    "--from",
    "old",
    required=True,
    envvar="CONTROL_PLANE_UPGRADE_FROM",
    metavar="URL",
    help="The database of version 0.1.0, as its owner; or CONTROL_PLANE_UPGRADE_FROM,"
    " so that no password stands in the list of processes.",
)
@click.option(
    "--rehearse",
    is_flag=True,
    help="Say how long it takes and keep nothing; the old one takes writes meanwhile.",
)
def upgrade(old: str, rehearse: bool) -> None:
    """Copy all of a database of version 0.1.0 into a new one and prove it.

    From then on the old one takes no writes; whoever is connected to it connects again.
    Where something is wrong, nothing is copied and it takes them again.
    """
    known = settings()
    with _explained():
        asyncio.run(migrated(known))
        work = first_version.upgrade(old, owner(known), rehearse=rehearse)
        rows, seconds = asyncio.run(work)
    said = f"{sum(rows.values())} rows in {seconds:.1f} s"
    if rehearse:
        click.echo(f"It would copy {said}. Nothing was kept.")
        return
    if wrong := ledger_faults():
        raise click.ClickException(
            f"{said} are there, but the ledger does not add up: {', '.join(wrong)}."
        )
    click.echo(f"{said} are there, and the ledger adds up.")


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        with explained():
            yield
    except NotUpgraded as error:
        raise click.ClickException(str(error)) from None
