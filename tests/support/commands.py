"""``control-plane …`` without a process of its own, which costs a second each time."""

import asyncio
import sys
from collections.abc import Iterator, Mapping

import click
import structlog
from click.testing import CliRunner, Result

from control_plane.commands.main import main


def all_commands(
    group: click.Group = main, name: tuple[str, ...] = ()
) -> Iterator[str]:
    """``sessions list`` …"""
    context = click.Context(group)
    for one in group.list_commands(context):
        found = group.get_command(context, one)
        if isinstance(found, click.Group):
            yield from all_commands(found, (*name, one))
        else:
            yield " ".join((*name, one))


async def command(env: Mapping[str, str], *words: str) -> Result:
    """In a thread: a command runs an event loop of its own. What the rest of this
    process logs meanwhile is not what it prints."""
    logs = structlog.get_config()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.__stderr__))
    try:
        return await asyncio.to_thread(CliRunner(env=env).invoke, main, words)
    finally:
        structlog.configure(**logs)
