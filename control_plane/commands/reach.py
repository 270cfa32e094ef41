"""Whether a node that is given a file can ask us by what the file says."""

from ipaddress import ip_address
from urllib.parse import urlsplit

import click

from control_plane.config.settings import Settings


def warn_of_loopback(known: Settings, name: str) -> None:
    """On stderr, so that the file can be printed all the same: the node may stand
    here."""
    ours = known.node_reaches_us_at
    if _is_this_machine(ours) and not _is_beside_us(known, name):
        click.echo(
            f"Warning: {name} is told to ask us at {ours}, which on another machine is"
            " not us: set CONTROL_PLANE_INTERNAL_HOST and CONTROL_PLANE_INTERNAL_URL"
            ' (docs/nodes.md, "A node on another machine").',
            err=True,
        )


def _is_beside_us(known: Settings, name: str) -> bool:
    at = known.node_api_url
    return name == known.node_name and (not at or _is_this_machine(at))


def _is_this_machine(url: str) -> bool:
    """Also "every address", which nobody can ask elsewhere."""
    host = urlsplit(url).hostname or ""
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_loopback or address.is_unspecified
