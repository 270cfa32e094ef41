"""What `make run` says where it cannot set the checkout up."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.folder import CHECKOUT

INSTALL = "deploy/local/install.py"
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-node.lock")
PLAYER = "control_plane/pages/player/package-lock.json"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    for name in (INSTALL, "pyproject.toml", *LOCKS, PLAYER):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / name, root / name)
    return root


@pytest.fixture
def packages(checkout: Path) -> Path:
    """They are there already; pip, which is asked for more, says so and fails."""
    files = (checkout / "requirements.lock", checkout / "pyproject.toml")
    found = b"".join(file.read_bytes() for file in files)
    venv = checkout / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "installed-run").write_text(hashlib.sha256(found).hexdigest())
    pip = f'*"pip install"*) echo pip "$@"; exit 1;; *) exec {sys.executable} "$@";;'
    _program(venv / "bin" / "python", f'case "$*" in {pip} esac')
    return venv


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """First in PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    return folder


def _program(file: Path, text: str) -> None:
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


def _fails(checkout: Path, programs: Path | None = None) -> str:
    """What it says."""
    path = os.environ["PATH"] if programs is None else f"{programs}:/usr/bin:/bin"
    done = subprocess.run(
        [sys.executable, "-I", str(checkout / INSTALL), "run"],
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout
    return done.stdout


def test_why_there_is_no_virtual_environment(checkout: Path) -> None:
    (checkout / ".venv").touch()
    said = _fails(checkout)
    assert f"'{checkout}/.venv'" in said
    assert f"apt install python3.{sys.version_info.minor}-venv" in said


def test_a_file_that_cannot_be_written_is_named(checkout: Path) -> None:
    lock = checkout / ".local" / "install.lock"
    lock.mkdir(parents=True)
    assert _fails(checkout) == f"{lock}: Is a directory.\n"


@pytest.mark.usefixtures("packages")
def test_an_npm_that_reaches_no_registry_says_so(
    checkout: Path, programs: Path
) -> None:
    fails = "echo npm error code ENOTFOUND; exit 1"
    _program(programs / "npm", f'[ "$1" != --version ] || exec echo 10.8.2; {fails}')
    said = _fails(checkout, programs)
    assert "npm error code ENOTFOUND" in said
    assert "npm_config_registry=" in said
    assert "HTTPS_PROXY=" in said
    assert "requirements-node.lock" not in said


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize("npm", ["exit 127", "echo 6.14.18"])
def test_where_no_npm_works_node_is_installed(
    checkout: Path, programs: Path, npm: str
) -> None:
    _program(programs / "npm", npm)
    assert "requirements-node.lock" in _fails(checkout, programs)
