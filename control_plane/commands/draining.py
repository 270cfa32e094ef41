"""``control-plane nodes drain`` and ``keep``: a node that goes, without a cut."""

import signal
import time

import click

from control_plane.commands.asking import get, pause, post
from control_plane.commands.output import Number, because

LOOK = 2.0  # seconds between two
TURN = 0.2  # seconds
ONE = "/v1/nodes/{name}"


@click.command()
@click.argument("name")
@click.option(
    "--wait",
    type=Number(min=0.0),
    default=0.0,
    help="Seconds at most until nobody uses it.",
)
@click.option(
    "--now",
    is_flag=True,
    help="Cut its encoders and keep them out: their broadcasts go on at other nodes.",
)
@because
def drain(name: str, wait: float, now: bool, reason: str) -> None:
    """No new sessions go there; the running ones stay. An edge's viewers go to others.

    Fails when some are still there after the wait.
    """
    post(f"{ONE}/drain", name=name, now=now, reason=reason)
    if wait and (left := _left(name, time.monotonic() + wait)):
        raise click.ClickException(f"{left} still use {name}.")
    click.echo(f"{name} is draining.")


@click.command()
@click.argument("name")
@click.option(
    "--wait",
    type=Number(min=0.0),
    default=3600.0,
    show_default=True,
    help="Seconds at most.",
)
def keep(name: str, wait: float) -> None:
    """Have the node take sessions until SIGTERM; then drain it and wait.

    For a process beside it that is stopped first, as Kubernetes stops containers
    before their sidecars.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    post(f"{ONE}/activate", name=name)
    click.echo(f"{name} takes sessions.")
    while signal.SIGTERM not in signal.sigpending():
        pause(TURN)
    until = time.monotonic() + wait
    _drain(name, until)
    click.echo(f"{name} is draining.")
    _left(name, until)


def _drain(name: str, until: float) -> None:
    """Again while it fails: a store that is away is no reason to cut a broadcast."""
    while True:
        try:
            post(f"{ONE}/drain", name=name)
        except click.ClickException as error:
            if time.monotonic() >= until:
                raise
            click.echo(f"{name} stays: {error.message}", err=True)
            _pause(until)
        else:
            return


def _left(name: str, until: float) -> int:
    """How many use it when none does, or when the time is over."""
    while True:
        try:
            left = int(get(f"{ONE}/left", name=name)["left"])
        except click.ClickException:
            left = 1  # nobody knows: the node is not told to go
        if not left or time.monotonic() >= until:
            return left
        _pause(until)


def _pause(until: float) -> None:
    pause(min(LOOK, max(0.0, until - time.monotonic())))
