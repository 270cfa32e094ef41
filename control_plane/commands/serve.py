"""``control-plane serve``, ``migrate`` and ``config``."""

import asyncio
import contextlib
import gc
from collections.abc import Iterator
from functools import partial
from typing import get_args

import click
import structlog

from control_plane.base import traces
from control_plane.commands.beside import explained, settings
from control_plane.commands.output import as_json, show_one
from control_plane.config import reference
from control_plane.config.settings import Settings, in_force, unread
from control_plane.roles import running
from control_plane.roles.parent import Parent, Run, Ties
from control_plane.roles.running import ROLES, Role, RoleName
from control_plane.roles.sockets import PortInUse, Sockets, listening_at
from control_plane.web import compiled, logs
from control_plane.web.connections import take_all_descriptors

log = structlog.get_logger(__name__)


@click.command("serve")
@click.option(
    "--role",
    "name",
    type=click.Choice(get_args(RoleName)),
    help="Only this one: auth answers nodes, api answers apps and pages, work keeps "
    "the tables true.  [default: all three, as processes of their own]",
)
def serve_command(name: RoleName | None) -> None:
    """Run the service until SIGTERM or Ctrl-C, then drain.

    A role that dies is started again at once. Several `--role auth` may share one port
    with CONTROL_PLANE_INTERNAL_REUSE_PORT=true.
    """
    if plain := compiled.missing():
        raise click.ClickException(
            f"{', '.join(plain)} was installed without its compiled parts, which halves"
            " the speed: install it again from a wheel or with a C compiler."
        )
    known = settings()
    logs.set_up(known.log_level, readable=known.development)
    if known.development:
        click.echo(
            "Development mode: anyone may sign in as anyone. Never on the internet.",
            err=True,
        )
    if traces.missing():
        log.warning(
            "no traces: OTEL_EXPORTER_OTLP_ENDPOINT is set, but what sends them is not"
            " installed (pip install 'live-control-plane[traces]')"
        )
    for variable in unread():
        log.warning("no setting has this name: nobody reads it", variable=variable)
    take_all_descriptors()
    with _explained():
        asyncio.run(running.prepare(known))
        raise SystemExit(_one(known, ROLES[name]) if name else _all(known))


def _one(known: Settings, role: Role) -> int:
    with listening_at(known, role.places) as sockets:
        running.run(role, known, sockets, None)
    return 0


def _all(known: Settings) -> int:
    places = [place for role in ROLES.values() for place in role.places]
    with listening_at(known, places) as sockets:
        roles: dict[str, Run] = {
            name: partial(_child, role, known, sockets) for name, role in ROLES.items()
        }
        gc.freeze()  # a collection would write to every page that the roles share
        return Parent(roles).run()


def _child(role: Role, known: Settings, sockets: Sockets, ties: Ties) -> int:
    try:
        with _explained():
            running.run(role, known, sockets, ties)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    return 0


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        with explained():
            yield
    except PortInUse as error:
        raise click.ClickException(str(error)) from None


@click.command()
@click.option(
    "--post",
    is_flag=True,
    help="Also what would break the version before: when it runs nowhere any more.",
)
def migrate(post: bool) -> None:
    """Bring the database up to date (serve does it too, without --post)."""
    with _explained():
        applied, waiting = asyncio.run(running.migrated(settings(), post=post))
    click.echo("\n".join(applied) or "Nothing to do.")
    if waiting:
        click.echo(f"For --post: {', '.join(waiting)}")


@click.command()
@as_json
@click.option("--explain", is_flag=True, help="What each means, as docs/settings.md.")
def config(as_json: bool, explain: bool) -> None:
    """Print the settings as they are read, of secrets whether they are set."""
    if explain:
        click.echo(reference.chapters(), nl=False)
        return
    for variable in unread():
        click.echo(f"Warning: {variable} is no setting: nobody reads it.", err=True)
    told = {name: text for name, (text, _) in in_force(settings()).items()}
    show_one(told, json_wanted=as_json)
