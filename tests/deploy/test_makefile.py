"""Which Python `make` sets up."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from deploy.local.folder import CHECKOUT
from tests.deploy.tools import tool


@pytest.mark.parametrize(
    ("there", "taken"),
    [
        ({"python3": (3, 12), "python3.13": (3, 13)}, "python3"),
        (
            {"python3": (3, 14), "python3.14": (3, 14), "python3.11": (3, 11)},
            "python3.11",
        ),
        ({"python3": (3, 9), "python3.13": (3, 13)}, "python3.13"),
        ({"python3": (3, 15), "python3.14": (3, 14)}, "python3"),
    ],
)
def test_one_that_all_packages_have_wheels_for_is_taken_first(
    tmp_path: Path, there: Mapping[str, tuple[int, int]], taken: str
) -> None:
    for name, version in there.items():
        says = f"import sys; sys.version_info = {version}; exec(sys.argv[2])"
        (tmp_path / name).write_text(
            f'#!/bin/sh\nexec "{sys.executable}" -c "{says}" "$@"\n'
        )
        (tmp_path / name).chmod(0o755)
    shown = subprocess.run(
        (tool("make"), "--dry-run", "install"),
        cwd=CHECKOUT,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    python, _, rest = shown.stdout.partition(" ")
    assert rest.startswith("-I deploy/local/install.py")
    assert python == taken
