"""Other people's programs that check what is in deploy/."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

#: Debian keeps some of them from users' paths.
PLACES = (str(Path(sys.executable).parent), "/usr/sbin", "/sbin")


def tool(name: str) -> str:
    """Where it is; the test is skipped where it is not."""
    found = shutil.which(name) or shutil.which(name, path=":".join(PLACES))
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def said(*command: str) -> str:
    """What the program printed. AssertionError when it was not content."""
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
