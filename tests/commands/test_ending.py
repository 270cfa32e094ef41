"""A command that is interrupted, or whose output finds no place, ends as shells and
people expect."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio

from tests.commands.conftest import elsewhere
from tests.support.process import Process

PROGRAM = (sys.executable, "-m", "control_plane")
LONG = ("events", "types")  # needs no server


class Silent(NamedTuple):
    """Takes connections and says nothing. ``asked``: somebody said something."""

    port: int
    asked: asyncio.Event


@pytest_asyncio.fixture
async def silent() -> AsyncIterator[Silent]:
    asked = asyncio.Event()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            asked.set()
        writer.close()

    async with await asyncio.start_server(hear, "127.0.0.1", 0) as server:
        yield Silent(server.sockets[0].getsockname()[1], asked)


def _there(silent: Silent, folder: Path) -> Mapping[str, str]:
    token = folder / "token"
    token.write_text("cpo_secret")
    return elsewhere(f"http://127.0.0.1:{silent.port}", token)


def _beside(silent: Silent) -> Mapping[str, str]:
    at = f"127.0.0.1:{silent.port}"
    return {
        "DATABASE_URL": f"postgresql://u:p@{at}/d?sslmode=disable",
        "REDIS_URL": f"redis://{at}",
        "CONTROL_PLANE_SECRET": "s" * 40,
    }


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("sessions list", 130),
        ("kick 1", 130),
        ("sessions list --watch", 0),  # has no other end
        ("events tail -f", 0),
    ],
)
@pytest.mark.parametrize("where", ["elsewhere", "beside"])
async def test_ctrl_c_in_the_first_look_says_nothing(
    silent: Silent, tmp_path: Path, words: str, status: int, where: str
) -> None:
    env = _beside(silent) if where == "beside" else _there(silent, tmp_path)
    log = tmp_path / "log"
    shown = await Process.start(log, *PROGRAM, *words.split(), env=os.environ | env)
    try:
        await asyncio.wait_for(silent.asked.wait(), 30)
        shown.process.send_signal(signal.SIGINT)
        assert await shown.ended() == status
    finally:
        await shown.stop()
    assert log.read_text() == ""


@pytest.fixture(params=["", "1"])
def env(request: pytest.FixtureRequest) -> Mapping[str, str]:
    """With a buffer, which is written once more at the end, and without one."""
    return os.environ | {"PYTHONUNBUFFERED": request.param}


@pytest.mark.parametrize("words", [LONG, ("--help",), ("sessions", "--help")])
def test_output_that_cannot_be_written_is_told(
    words: tuple[str, ...], env: Mapping[str, str]
) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*PROGRAM, *words], stdout=full, stderr=subprocess.PIPE, text=True, env=env
        )
    sentence = "Error: The output was cut: No space left on device.\n"
    assert (done.returncode, done.stderr) == (1, sentence)


def test_a_file_that_may_not_grow_is_told(tmp_path: Path) -> None:
    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))

    with (tmp_path / "file").open("w") as file:
        done = subprocess.run(
            [*PROGRAM, *LONG],
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": ""},
            preexec_fn=bounded,
        )
    sentence = "Error: The output was cut: File too large.\n"
    assert (done.returncode, done.stderr) == (1, sentence)


def test_where_nothing_can_be_said_it_fails(env: Mapping[str, str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*PROGRAM, *LONG], stdout=full, stderr=full, env=env)
    assert done.returncode != 0


@pytest.mark.parametrize("words", [LONG, ("--help",)])
def test_whoever_reads_no_more_is_told_nothing(
    words: tuple[str, ...], env: Mapping[str, str]
) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "w") as pipe:
        done = subprocess.run(
            [*PROGRAM, *words], stdout=pipe, stderr=subprocess.PIPE, text=True, env=env
        )
    assert done.stderr == ""
