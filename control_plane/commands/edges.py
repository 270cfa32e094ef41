"""``control-plane edge-config``."""

import re
from dataclasses import replace
from pathlib import Path

import click

from control_plane.commands.beside import settings
from control_plane.commands.output import give, to_file
from control_plane.commands.reach import warn_of_loopback
from control_plane.wiring.node_config import cache_config
from mediamtx.nginx import render

NAMED = re.compile(r"([a-z0-9][a-z0-9-]{0,31})=([a-z]+://[^\s/;{}$\"']+)/?")


def by_name(
    _context: click.Context, _option: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    found = {}
    for text in given:
        match = NAMED.fullmatch(text)
        if match is None:
            raise click.BadParameter(f"{text} is not NAME=URL.")
        found[match[1]] = match[2]
    return found


@click.command("edge-config")
@click.option("--node", "name", required=True, help="The cache, as `nodes add` has it.")
@click.option(
    "--origin",
    "origins",
    multiple=True,
    required=True,
    callback=by_name,
    metavar="NAME=URL",
    help="A node, and where its HLS is reached: eu-1=http://10.0.0.5:8888",
)
@click.option(
    "--listen", default="80", show_default=True, help="Port, or address:port."
)
@click.option(
    "--certificate", default="", help="Folder of fullchain.pem and privkey.pem."
)
@click.option("--folder", default="/var/lib/nginx", show_default=True)
@click.option("--logs", default="/var/log/nginx", show_default=True)
@click.option("--size", default="1g", show_default=True, help="Of what it keeps.")
@click.option(
    "--signed",
    is_flag=True,
    help="It checks signed addresses by itself, as --role cdn, and asks nobody.",
)
@to_file
def edge_config(
    name: str,
    origins: dict[str, str],
    listen: str,
    certificate: str,
    folder: str,
    logs: str,
    size: str,
    signed: bool,
    output: Path | None,
) -> None:
    """Print the nginx file of a cache. It holds its secret, and its origins'.

    The origins' own files need CONTROL_PLANE_CACHES=true.
    """
    known = settings()
    config = replace(
        cache_config(known, name, origins, signed=signed),
        listen=listen,
        certificate=certificate,
        folder=folder,
        logs=logs,
        size=size,
    )
    try:
        text = render(config)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    if not signed:
        warn_of_loopback(known, name)
    give(text, output)
