"""``control-plane nodes drain`` and ``keep``: a node that goes, without a cut."""

import asyncio
import signal
import time

import click

from control_plane.base.faults import Away
from control_plane.commands.output import run
from control_plane.wiring.services import Services

LOOK = 2.0  # seconds between two


@click.command()
@click.argument("name")
@click.option("--wait", default=0.0, help="Seconds at most until nobody uses it.")
@click.option(
    "--now",
    is_flag=True,
    help="Cut its encoders and keep them out: their broadcasts go on at other nodes.",
)
def drain(name: str, wait: float, now: bool) -> None:
    """No new sessions go there; the running ones stay. An edge's viewers go to others.

    Fails when some are still there after the wait.
    """

    async def work(services: Services) -> int:
        await services.nodes.set_draining(name, draining=True, closed=now)
        return await _left(services, name, wait) if wait else 0

    if left := run(work):
        raise click.ClickException(f"{left} still use {name}.")
    click.echo(f"{name} is draining.")


@click.command()
@click.argument("name")
@click.option("--wait", default=3600.0, show_default=True, help="Seconds at most.")
def keep(name: str, wait: float) -> None:
    """Have the node take sessions until SIGTERM; then drain it and wait.

    For a process beside it that is stopped first, as Kubernetes stops containers
    before their sidecars.
    """

    async def work(services: Services) -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await services.nodes.set_draining(name, draining=False)
        click.echo(f"{name} takes sessions.")
        await stop.wait()
        await services.nodes.set_draining(name, draining=True)
        click.echo(f"{name} is draining.")
        await _left(services, name, wait)

    run(work)


async def _left(services: Services, name: str, wait: float) -> int:
    """How many use it when none does, or when the time is over."""
    end = time.monotonic() + wait
    while True:
        try:
            left = await services.emptying.left(name)
        except Away:
            left = 1  # nobody knows: the node is not told to go
        if not left or time.monotonic() >= end:
            return left
        await asyncio.sleep(min(LOOK, wait))
