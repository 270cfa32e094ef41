"""Simulated worlds, in processes of their own: here a few. That bugs put in on purpose
are found is `make simulate BUG=…`, which takes minutes."""

import json
import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(900)

SEEDS = 12  # more by `make simulate`: a second each, and ten on a busy machine

Json = dict[str, Any]


def _simulated(*options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.simulator", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def results() -> list[Json]:
    said = _simulated(f"--seeds={SEEDS}", "--workers=0")
    assert said.returncode == 0, said.stderr[-3000:]
    return [json.loads(line) for line in said.stdout.splitlines()]


def test_nothing_is_broken_whatever_fails(results: list[Json]) -> None:
    assert {one["seed"]: one["broken"] for one in results} == {
        seed: [] for seed in range(1, SEEDS + 1)
    }


def test_a_seed_is_the_same_again(results: list[Json]) -> None:
    """Whatever was run before it in the same process."""
    said = _simulated(f"--seed={SEEDS}").stdout
    assert said.endswith(f"trace {results[-1]['trace']}\n"), said[-3000:]
