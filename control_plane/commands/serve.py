"""``control-plane serve``, ``migrate`` and ``config``."""

import asyncio
import contextlib
import gc
import signal
from collections.abc import Iterator

import click
import uvloop

from control_plane.app import PortInUse, migrated, serve
from control_plane.base.faults import Away
from control_plane.base.schema import MayNotMigrate
from control_plane.commands.output import settings, show_one
from control_plane.config.settings import Settings
from control_plane.web import logs
from control_plane.web.connections import take_all_descriptors


@click.command("serve")
def serve_command() -> None:
    """Run the service until SIGTERM or Ctrl-C, then drain."""
    known = settings()
    logs.set_up(known.log_level, readable=known.development)
    if known.development:
        click.echo(
            "Development mode: anyone may sign in as anyone. Never on the internet.",
            err=True,
        )
    with _explained(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(known))


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (PortInUse, MayNotMigrate) as error:
        raise click.ClickException(str(error)) from None
    except Away as error:
        raise click.ClickException(f"Postgres does not answer: {error}") from None


async def _serve(known: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    take_all_descriptors()
    async with serve(known):
        gc.freeze()  # what lives as long as the process halves the p99 otherwise
        await stop.wait()


@click.command()
def migrate() -> None:
    """Bring the database up to date (serve does it too)."""
    with _explained():
        applied = asyncio.run(migrated(settings()))
    click.echo("\n".join(applied) or "Nothing to do.")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def config(as_json: bool) -> None:
    """Print the settings as they are read, secrets hidden."""
    show_one(settings().model_dump(mode="json"), json_wanted=as_json)
