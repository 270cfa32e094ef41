"""``control-plane health``: for containers, and for people."""

import asyncio

import aiohttp
import click

from control_plane.commands.beside import run, settings
from control_plane.config.listeners import InternalSettings

WITHIN = aiohttp.ClientTimeout(5.0)
EVERYWHERE = {"", "0.0.0.0", "::"}  # noqa: S104


@click.command()
@click.option("--nodes", is_flag=True, help="Also: a media node takes broadcasts.")
def health(nodes: bool) -> None:
    """Whether the roles that run here are ready; fails when not."""
    found = asyncio.run(_roles(settings()))
    for role, said in found.items():
        click.echo(f"{role}: {said}")
    if not found or any(said != "ok" for said in found.values()):
        raise click.ClickException("Not ready." if found else "Nothing runs here.")
    if nodes:
        node = run(lambda services: services.nodes.some_origin())
        click.echo(f"node {node.name}: takes broadcasts")


async def _roles(known: InternalSettings) -> dict[str, str]:
    """What each that listens says of itself."""
    ports = {
        "auth": known.internal_port,
        "api": known.api_metrics_port,
        "work": known.work_metrics_port,
    }
    host = known.internal_host
    host = "127.0.0.1" if host in EVERYWHERE else host
    async with aiohttp.ClientSession(timeout=WITHIN) as http:
        said = await asyncio.gather(*(_asked(http, host, p) for p in ports.values()))
    return {role: text for role, text in zip(ports, said, strict=True) if text}


async def _asked(http: aiohttp.ClientSession, host: str, port: int) -> str:
    """ "" when nothing listens there."""
    try:
        async with http.get(f"http://{host}:{port}/readyz") as response:
            return (await response.text()).strip()
    except aiohttp.ClientConnectorError:
        return ""
    except (aiohttp.ClientError, TimeoutError):
        return "no answer"
