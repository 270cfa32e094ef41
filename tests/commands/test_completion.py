"""Shells complete commands, and do not wait for what is loaded for other things."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"aiohttp", "asyncpg", "redis", "pydantic", "rich", "structlog"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("control-plane sess", {"sessions"}),
        ("control-plane webhooks re", {"remove", "resend"}),
        ("control-plane nodes list --w", {"--watch"}),
    ],
)
def test_bash_completes(words: str, expected: set[str]) -> None:
    script = f"""
        eval "$(_CONTROL_PLANE_COMPLETE=bash_source control-plane)"
        COMP_WORDS=({words}) COMP_CWORD={words.count(" ")}
        _control_plane_completion control-plane
        printf "%s\\n" "${{COMPREPLY[@]}}"
    """
    here = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        env={"PATH": here},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) == expected


def test_a_group_is_loaded_alone() -> None:
    probe = (
        "import sys; from control_plane.commands.main import main;"
        "main(['sessions', 'list', '-h'], standalone_mode=False);"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "control_plane" in loaded
    assert not loaded & HEAVY
