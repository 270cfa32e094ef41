"""What the person in front of the terminal reads."""

import sys
from contextlib import suppress


def say(text: str) -> None:
    """A closed terminal must not keep us from stopping the servers."""
    with suppress(OSError):
        print(text, flush=True)


def progress(line: str) -> None:
    """A line that the next one replaces; nothing where that would make a mess."""
    if sys.stdout.isatty():
        with suppress(OSError):
            print(f"\r{line}", end="", flush=True)


def end_progress() -> None:
    if sys.stdout.isatty():
        say("")
