"""``control-plane mediamtx-config`` and ``node-env``: what a node is given."""

from dataclasses import replace
from pathlib import Path

import click

from control_plane.commands.beside import settings
from control_plane.commands.edges import by_name
from control_plane.commands.output import give, to_file
from control_plane.commands.reach import warn_of_loopback
from control_plane.config.live import NodeSettings
from control_plane.wiring.node_config import edge_config, hook_environ, node_config
from mediamtx.render import render

of_node = click.option("--node", "name", help="Default: the settings' own.")


@click.command("mediamtx-config")
@of_node
@click.option(
    "--for",
    "version",
    default="v1.20.1",
    show_default=True,
    help="The version of MediaMTX that reads it.",
)
@click.option(
    "--role",
    type=click.Choice(["origin", "edge"]),
    default="origin",
    show_default=True,
    help="An edge gets what is watched there from --origin.",
)
@click.option(
    "--origin",
    "origins",
    multiple=True,
    callback=by_name,
    metavar="NAME=URL",
    help="Of an edge, where it reads: eu-1=rtsp://10.0.0.5:8554",
)
@click.option("--hook-command", default="", help="Absolute path of notify.sh.")
@click.option("--bind", default="", help="Listen on this address only.")
@click.option(
    "--api-bind",
    default="127.0.0.1",
    show_default=True,
    help="Listen for the control API on this address; never a public one.",
)
@click.option(
    "--trusted-proxy",
    "proxies",
    multiple=True,
    help="Whose X-Forwarded-For is believed: an address or a network.",
)
@click.option(
    "--webrtc-host",
    "webrtc_hosts",
    multiple=True,
    help="Under which viewers reach it, behind NAT.",
)
@to_file
def mediamtx_config(
    name: str | None,
    version: str,
    role: str,
    origins: dict[str, str],
    hook_command: str,
    bind: str,
    api_bind: str,
    proxies: tuple[str, ...],
    webrtc_hosts: tuple[str, ...],
    output: Path | None,
) -> None:
    """Print mediamtx.yml for a node. It holds the node's secret."""
    if (role == "edge") != bool(origins):
        raise click.UsageError("--origin belongs to --role edge, which needs it.")
    known = settings()
    name = name or _own(known)
    made = (
        edge_config(known, name, origins, bind)
        if origins
        else node_config(known, name, bind)
    )
    config = replace(
        made,
        hook_command=hook_command or None,
        trusted_proxies=proxies,
        webrtc_hosts=webrtc_hosts,
    )
    config = replace(config, api=f"{api_bind}:{config.api.rpartition(':')[2]}")
    try:
        text = render(config, version)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    warn_of_loopback(known, name)
    give(text, output)


@click.command("node-env")
@of_node
@to_file
def node_env(name: str | None, output: Path | None) -> None:
    """Print the environment that a node's hook command needs. It is secret."""
    known = settings()
    environ = hook_environ(known, name or _own(known)).items()
    give("".join(f"{variable}={value}\n" for variable, value in environ), output)


def _own(known: NodeSettings) -> str:
    if not known.node_name:
        raise click.UsageError(
            "The settings have no node of their own: --node says which."
        )
    return known.node_name
