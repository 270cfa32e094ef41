"""Which Python `make` sets up."""

import subprocess
from pathlib import Path

import pytest

from deploy.local.folder import CHECKOUT
from tests.deploy.tools import tool


@pytest.mark.parametrize(
    ("there", "taken"),
    [
        (("python3", "python3.14", "python3.13"), "python3.13"),
        (("python3", "python3.14", "python3.11"), "python3.11"),
        (("python3.14",), "python3.14"),
    ],
)
def test_one_that_all_packages_have_wheels_for_is_taken_first(
    tmp_path: Path, there: tuple[str, ...], taken: str
) -> None:
    for name in there:
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    shown = subprocess.run(
        (tool("make"), "--dry-run", "install"),
        cwd=CHECKOUT,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.startswith(f"{taken} -I deploy/local/install.py")
