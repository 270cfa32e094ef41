"""``control-plane …`` without a process of its own, which costs a second each time."""

import asyncio
import contextlib
import io
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import IO, Any

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
        return await asyncio.to_thread(_Runner(env=env).invoke, main, words)
    finally:
        structlog.configure(**logs)


class _Runner(CliRunner):
    @contextlib.contextmanager
    def isolation(self, *args: Any, **named: Any) -> Iterator[Any]:
        with super().isolation(*args, **named) as streams:
            sys.stderr = _OfOneThread(sys.stderr)
            yield streams


class _OfOneThread(io.TextIOBase):
    """A command that logs has the whole process log to its own stderr."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, own: IO[str]) -> None:
        self._own = own
        self._thread = threading.get_ident()

    def write(self, text: str, /) -> int:
        here = threading.get_ident() == self._thread
        into = self._own if here else sys.__stderr__
        return into.write(text) if into else 0

    def flush(self) -> None:
        self._own.flush()
