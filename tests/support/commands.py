"""``control-plane …`` without a process of its own, which costs a second each time."""

import asyncio
from collections.abc import Mapping

import structlog
from click.testing import CliRunner, Result

from control_plane.commands.main import main


async def command(env: Mapping[str, str], *words: str) -> Result:
    """In a thread: a command runs an event loop of its own."""
    logs = structlog.get_config()
    try:
        return await asyncio.to_thread(CliRunner(env=env).invoke, main, words)
    finally:
        structlog.configure(**logs)
