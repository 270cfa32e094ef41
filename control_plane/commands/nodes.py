"""``control-plane nodes``."""

from typing import get_args

import click

from control_plane.base.urls import http_address
from control_plane.commands import draining
from control_plane.commands.asking import Json, get, post, rows
from control_plane.commands.output import (
    as_json,
    because,
    limited,
    moment,
    only,
    show_again,
    show_one,
    watched,
)
from control_plane.live.model.nodes import Node, Role

MOST = click.IntRange(1, 2**31 - 1)
MOST_BITS = click.IntRange(1, 2**63 - 1)


def _address(_context: click.Context, _option: click.Parameter, given: str) -> str:
    try:
        return http_address(given)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from None


@click.group()
def nodes() -> None:
    """The media nodes."""


@nodes.command("list")
@limited
@watched
@as_json
def list_nodes(limit: int, watch: float | None, as_json: bool) -> None:
    """List nodes and how they are."""
    show_again(lambda: rows("/v1/nodes", limit), watch, json_wanted=as_json, shape=_row)


@nodes.command("show")
@click.argument("name")
@as_json
def show_node(name: str, as_json: bool) -> None:
    """One node, which is asked what it is."""
    found = get("/v1/nodes/{name}", name=name)
    show_one(found, json_wanted=as_json, shape=_detail)


def _detail(found: Json) -> Json:
    node = found["node"]
    urls = only(node, "rtmp_url hls_url")
    return _row(node) | urls | only(found, "answer reason version started")


def _row(one: Json) -> Json:
    return {
        **only(one, "name role region"),
        "state": "closed" if one["closed"] else one["state"],
        **only(one, "weight sessions viewers"),
        "reading": one["readers"],
        "let_go": f"{one['let_go']:.0%}" if one["let_go"] else "",
        **{name: _room(one, name) for name in ("publishers", "readers", "bits")},
        "api_url": one["api_url"],
        "silent_since": moment(one["silent_since"]),
    }


def _room(one: Json, name: str) -> str:
    """Empty: no bound."""
    most = one["capacity"][name]
    return "" if most is None else f"{one['room'][name]} free of {most}"


@nodes.command()
@click.argument("name")
@click.option(
    "--api", required=True, callback=_address, help="Its control API, http://host:9997"
)
@click.option("--host", required=True, help="Its public host name.")
@click.option(
    "--role",
    type=click.Choice(get_args(Role)),
    default="origin",
    show_default=True,
    help="Encoders publish to origins; the others serve viewers.",
)
@click.option("--region", default="", help="Where it stands.")
@click.option(
    "--weight", type=MOST, default=1, show_default=True, help="Its share of the load."
)
@click.option("--publishers", type=MOST, help="So many encoders at most.")
@click.option("--readers", type=MOST, help="So many viewers at most.")
@click.option("--bits", type=MOST_BITS, help="A second, to viewers, at most.")
@click.option("--rtmp-port", default=1935, show_default=True)
@click.option(
    "--hls-url", default="", callback=_address, help="Default: http://HOST:8888"
)
@click.option(
    "--webrtc-url", default="", callback=_address, help="Default: http://HOST:8889"
)
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
    """Add a node, or change one: what is left out is set to its default."""
    node = Node(
        name=name,
        api_url=api,
        rtmp_url=f"rtmp://{host}:{rtmp_port}",
        hls_url=hls_url or f"http://{host}:8888",
        webrtc_url=webrtc_url or f"http://{host}:8889",
        srt_url=f"srt://{host}:8890",
        rtsp_url=f"rtsp://{host}:8554",
        role=role,
        region=region,
        weight=weight,
        most_publishers=publishers,
        most_readers=readers,
        most_bits=bits,
    )
    from control_plane.commands.beside import run

    run(lambda services: services.nodes.save(node))
    click.echo(f"Now give it its configuration: mediamtx-config --node {name}")


@nodes.command()
@click.argument("name")
def remove(name: str) -> None:
    """Remove a node that never had a session."""
    from control_plane.commands.beside import run

    run(lambda services: services.nodes.remove(name))
    click.echo(f"{name} is removed.")


nodes.add_command(draining.drain)
nodes.add_command(draining.keep)


@nodes.command()
@click.argument("name")
@because
def activate(name: str, reason: str) -> None:
    """Take new sessions again."""
    post("/v1/nodes/{name}/activate", name=name, reason=reason)
    click.echo(f"{name} is active.")
