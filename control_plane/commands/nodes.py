"""``control-plane nodes``, ``mediamtx-config`` and ``node-env``."""

from dataclasses import replace
from pathlib import Path
from typing import get_args

import click

from control_plane.commands import draining
from control_plane.commands.edges import by_name
from control_plane.commands.output import (
    as_json,
    give,
    run,
    settings,
    show,
    to_file,
)
from control_plane.live.model.nodes import Node, Role
from control_plane.live.model.overview import NodeLoad
from control_plane.live.model.placing import room
from control_plane.wiring.node_config import edge_config, hook_environ, node_config
from control_plane.wiring.services import Services
from mediamtx.render import render

MOST = click.IntRange(1, 2**31 - 1)
MOST_BITS = click.IntRange(1, 2**63 - 1)


@click.group()
def nodes() -> None:
    """The media nodes."""


@nodes.command("list")
@as_json
def list_nodes(as_json: bool) -> None:
    """List nodes and how they are."""

    async def work(services: Services) -> list[dict[str, object]]:
        return [_listed(*one) for one in await services.overview.nodes()]

    show(run(work), json_wanted=as_json)


def _listed(node: Node, load: NodeLoad) -> dict[str, object]:
    return {
        "name": node.name,
        "role": node.role,
        "region": node.region,
        "state": "closed" if node.closed else node.state,
        "weight": node.weight,
        "sessions": load.sessions,
        "viewers": load.viewers,
        "reading": load.readers,
        "let_go": f"{node.let_go:.0%}" if node.let_go else "",
        "publishers": _room(node.most_publishers, load.sessions),
        "readers": _room(node.most_readers, load.readers),
        "bits": _room(node.most_bits, node.bits),
        "api_url": node.api_url,
        "rtmp_url": node.rtmp_url,
        "hls_url": node.hls_url,
        "silent_since": node.silent_since,
    }


def _room(most: int | None, taken: int) -> str:
    """Empty: no bound."""
    return "" if most is None else f"{room(most, taken)} free of {most}"


@nodes.command()
@click.argument("name")
@click.option("--api", required=True, help="Its control API, http://host:9997")
@click.option("--host", required=True, help="Its public host name.")
@click.option(
    "--role",
    type=click.Choice(get_args(Role)),
    default="origin",
    show_default=True,
    help="Encoders publish to origins; edges and caches serve viewers.",
)
@click.option("--region", default="", help="Where it stands.")
@click.option(
    "--weight", type=MOST, default=1, show_default=True, help="Its share of the load."
)
@click.option("--publishers", type=MOST, help="So many encoders at most.")
@click.option("--readers", type=MOST, help="So many viewers at most.")
@click.option("--bits", type=MOST_BITS, help="A second, to viewers, at most.")
@click.option("--rtmp-port", default=1935, show_default=True)
@click.option("--hls-url", default="", help="Default: http://HOST:8888")
@click.option("--webrtc-url", default="", help="Default: http://HOST:8889")
def add(
    name: str,
    api: str,
    host: str,
    role: Role,
    region: str,
    weight: int,
    publishers: int | None,
    readers: int | None,
    bits: int | None,
    rtmp_port: int,
    hls_url: str,
    webrtc_url: str,
) -> None:
    """Add a node, or change one."""
    node = Node(
        name=name,
        api_url=api.rstrip("/"),
        rtmp_url=f"rtmp://{host}:{rtmp_port}",
        hls_url=hls_url.rstrip("/") or f"http://{host}:8888",
        webrtc_url=webrtc_url.rstrip("/") or f"http://{host}:8889",
        srt_url=f"srt://{host}:8890",
        rtsp_url=f"rtsp://{host}:8554",
        role=role,
        region=region,
        weight=weight,
        most_publishers=publishers,
        most_readers=readers,
        most_bits=bits,
    )
    run(lambda services: services.nodes.save(node))
    click.echo(f"Now give it its configuration: mediamtx-config --node {name}")


@nodes.command()
@click.argument("name")
def remove(name: str) -> None:
    """Remove a node that never had a session."""
    run(lambda services: services.nodes.remove(name))
    click.echo(f"{name} is removed.")


nodes.add_command(draining.drain)
nodes.add_command(draining.keep)


@nodes.command()
@click.argument("name")
def activate(name: str) -> None:
    """Take new sessions again."""
    run(lambda services: services.nodes.set_draining(name, draining=False))
    click.echo(f"{name} is active.")


@click.command("mediamtx-config")
@click.option("--node", "name", default="local", show_default=True)
@click.option("--for", "version", default="v1.20.1", show_default=True)
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
    name: str,
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
    made = (
        edge_config(settings(), name, origins, bind)
        if origins
        else node_config(settings(), name, bind)
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
    give(text, output)


@click.command("node-env")
@click.option("--node", "name", default="local", show_default=True)
def node_env(name: str) -> None:
    """Print the environment that a node's hook command needs. It is secret."""
    for variable, value in hook_environ(settings(), name).items():
        click.echo(f"{variable}={value}")
