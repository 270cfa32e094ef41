"""The command line: all commands."""

import contextlib
import errno
import gc
import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from control_plane.commands.asking import Asking

#: The module of each, and its name there where that is another.
COMMANDS = {
    "serve": "serve:serve_command",
    "migrate": "serve",
    "config": "serve",
    "health": "health",
    "settings": "settings",
    "now": "now",
    "sessions": "sessions",
    "kick": "sessions",
    "channels": "channels",
    "keys": "keys",
    "users": "users",
    "ban": "bans",
    "unban": "bans",
    "bans": "bans",
    "nodes": "nodes",
    "mediamtx-config": "node_files:mediamtx_config",
    "node-env": "node_files:node_env",
    "edge-config": "edges:edge_config",
    "events": "events",
    "webhooks": "webhooks",
    "gifts": "gifts",
    "ledger": "ledger",
    "purchases": "purchases",
    "payouts": "payouts",
    "audit": "audit",
    "token": "tokens",
    "backup": "backup",
    "restore": "backup",
    "upgrade": "upgrade",
    "demo": "demo",
    "seed-demo": "seed_demo:seed_demo_command",
    "check-api": "check_api:check_api",
}


#: As a shell says of a program that Ctrl-C ended.
INTERRUPTED = 130
#: Of a write that found no room.
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


class Commands(click.Group):
    """Loads a command when it is asked for, so that none waits for what others need."""

    def main(self, *args: Any, **extra: Any) -> Any:
        with _output_told():
            return super().main(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            try:
                return super().invoke(ctx)
            finally:
                ctx.close()
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        found: click.Command = getattr(_loaded(module), name or cmd_name)
        return found


@contextlib.contextmanager
def _output_told() -> Iterator[None]:
    """What is printed and cannot be written, as a sentence."""
    try:
        yield
    except OSError as error:
        if error.filename is not None or error.errno not in NO_ROOM:
            raise
        _forget_output()
        with contextlib.suppress(OSError):
            click.echo(f"Error: The output was cut: {error.strerror}.", err=True)
        sys.exit(1)


def _forget_output() -> None:
    """What is left of it would be written at the end, and fail once more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _loaded(name: str) -> object:
    """Nothing that is imported is ever garbage: not to look for any, then and later,
    saves a third of the start."""
    module = f"control_plane.commands.{name}"
    if module in sys.modules:
        return sys.modules[module]
    gc.disable()
    try:
        return import_module(module)
    finally:
        gc.freeze()
        gc.enable()


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="live-control-plane")
@click.option(
    "--server",
    default="",
    envvar="CONTROL_PLANE_SERVER",
    metavar="URL",
    help="Ask another server's operators' listener, https://…, instead of the stores.",
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    envvar="CONTROL_PLANE_TOKEN_FILE",
    help="Holds an operator's token, for --server.",
)
@click.pass_context
def main(context: click.Context, server: str, token_file: Path | None) -> None:
    """The control plane for live streaming on MediaMTX.

    Settings come from the environment; `config` prints them. With --server
    (CONTROL_PLANE_SERVER) and --token-file (CONTROL_PLANE_TOKEN_FILE) commands work
    without them, at a server elsewhere.
    """
    context.obj = Asking(server, token_file)
