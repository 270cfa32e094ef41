"""``python -m deploy.local``: what `make run` and its relatives call."""

import os
from pathlib import Path

import click

from deploy.local.clean import clean as clean_up
from deploy.local.errors import LocalError, sentence
from deploy.local.folder import Folder
from deploy.local.key import obs_fields
from deploy.local.ports import LOOPBACK, PUBLIC
from deploy.local.run import run as run_all

data = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Folder().path,
    help="Where everything is kept.  [default: .local in the checkout]",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Everything on this machine: Postgres, Valkey, a media node and the service.

    DATABASE_URL and REDIS_URL replace the first two. MEDIAMTX_BIN names a MediaMTX;
    without it PATH, the cache and the pinned release are tried, then the sandbox node
    takes its place (at once with CONTROL_PLANE_NODE_SANDBOX=true). Settings of the
    service, CONTROL_PLANE_..., are handed on: `control-plane config` prints them.
    """


@main.command()
@data
def run(data: Path) -> None:
    """Start everything, print how to go live, and run until Ctrl-C."""
    raise SystemExit(run_all(Folder(data.absolute())))


@main.command()
@click.option("--user", default="obs", show_default=True, help="Whose key.")
@click.option("--channel", default="obs", show_default=True, help="Its channel.")
@click.option("--host", default=LOOPBACK, show_default=True, help="Where `run` runs.")
def key(user: str, channel: str, host: str) -> None:
    """Print a lasting stream key for OBS or an RTMP app."""
    try:
        port = PUBLIC.number(os.environ)
        click.echo(obs_fields(f"http://{host}:{port}", user, channel))
    except LocalError as error:
        raise click.ClickException(str(error)) from None


@main.command()
@data
def clean(data: Path) -> None:
    """Delete all data, logs and downloads of earlier runs."""
    try:
        clean_up(Folder(data.absolute()))
    except LocalError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(sentence(error)) from None


if __name__ == "__main__":
    main()
