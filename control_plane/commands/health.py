"""``control-plane health``: for containers, and for people."""

import asyncio
import time

import aiohttp
import click

from control_plane.commands.beside import run, settings
from control_plane.commands.output import Number
from control_plane.config.listeners import InternalSettings

WITHIN = aiohttp.ClientTimeout(5.0)
AGAIN = 0.5  # seconds between two looks
ABSENT = "nothing listens"
EVERYWHERE = {"", "0.0.0.0", "::"}  # noqa: S104


@click.command()
@click.option("--nodes", is_flag=True, help="Also: a media node takes broadcasts.")
@click.option("--every-role", is_flag=True, help="Also: each of them runs here.")
@click.option(
    "--wait",
    type=Number(min=0.0),
    default=0.0,
    help="Seconds at most until all is ready.",
)
def health(nodes: bool, every_role: bool, wait: float) -> None:
    """Whether the roles that run here are ready; fails when not."""
    known, until = settings(), time.monotonic() + wait
    lines, wrong = _look(known, nodes, every_role)
    while wrong and (left := until - time.monotonic()) > 0:
        time.sleep(min(AGAIN, left))
        lines, wrong = _look(known, nodes, every_role)
    click.echo("\n".join(lines))
    if wrong:
        raise click.ClickException(wrong)


def _look(
    known: InternalSettings, nodes: bool, every_role: bool
) -> tuple[list[str], str]:
    """A line for each, and what is wrong; empty: nothing."""
    found = asyncio.run(_roles(known))
    lines = [f"{role}: {said}" for role, said in found.items()]
    wrong = _wrong(set(found.values()), every_role)
    if wrong or not nodes:
        return lines, wrong
    try:
        node = run(lambda services: services.nodes.some_origin())
    except click.ClickException as error:
        return lines, error.message
    return [*lines, f"node {node.name}: takes broadcasts"], ""


def _wrong(said: set[str], every_role: bool) -> str:
    if said == {ABSENT}:
        return "Nothing runs here."
    ready = {"ok"} if every_role else {"ok", ABSENT}
    return "" if said <= ready else "Not ready."


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
