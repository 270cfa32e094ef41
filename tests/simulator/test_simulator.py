"""Simulated worlds: each test runs some seeds in processes of its own. That bugs put in
on purpose are found is `make simulate BUG=…`, which takes minutes."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.timeout(900)

SEEDS = 12  # more by `make simulate`: a second each, and ten on a busy machine


def _simulated(*options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.simulator", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_nothing_is_broken_whatever_fails() -> None:
    said = _simulated(f"--seeds={SEEDS}", "--workers=1")
    assert said.returncode == 0, said.stdout[-3000:] + said.stderr[-3000:]


def test_a_seed_is_the_same_again() -> None:
    first, second = (_simulated("--seed=7").stdout for _ in range(2))
    assert "trace" in first
    assert first == second
