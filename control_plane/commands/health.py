"""``control-plane health``: for containers, and for people."""

import asyncio

import aiohttp
import click

from control_plane.commands.beside import run, settings
from control_plane.config.listeners import InternalSettings

WITHIN = aiohttp.ClientTimeout(5.0)
ABSENT = "nothing listens"
EVERYWHERE = {"", "0.0.0.0", "::"}  # noqa: S104


@click.command()
@click.option("--nodes", is_flag=True, help="Also: a media node takes broadcasts.")
@click.option("--every-role", is_flag=True, help="Also: each of them runs here.")
def health(nodes: bool, every_role: bool) -> None:
    """Whether the roles that run here are ready; fails when not."""
    found = asyncio.run(_roles(settings()))
    for role, said in found.items():
        click.echo(f"{role}: {said}")
    here = {said for said in found.values() if said != ABSENT}
    if not here:
        raise click.ClickException("Nothing runs here.")
    if here != {"ok"} or (every_role and ABSENT in found.values()):
        raise click.ClickException("Not ready.")
    if nodes:
        node = run(lambda services: services.nodes.some_origin())
        click.echo(f"node {node.name}: takes broadcasts")


async def _roles(known: InternalSettings) -> dict[str, str]:
    """What each says of itself."""
    ports = {
        "auth": known.internal_port,
        "api": known.api_metrics_port,
        "work": known.work_metrics_port,
    }
    host = known.internal_host
    host = "127.0.0.1" if host in EVERYWHERE else host
    async with aiohttp.ClientSession(timeout=WITHIN) as http:
        said = await asyncio.gather(*(_asked(http, host, p) for p in ports.values()))
    return dict(zip(ports, said, strict=True))


async def _asked(http: aiohttp.ClientSession, host: str, port: int) -> str:
    try:
        async with http.get(f"http://{host}:{port}/readyz") as response:
            return (await response.text()).strip()
    except aiohttp.ClientConnectorError:
        return ABSENT
    except (aiohttp.ClientError, TimeoutError):
        return "no answer"
