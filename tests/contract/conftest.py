"""One node of each kind for a whole file of tests; each test has paths of its own."""

import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import imageio_ffmpeg
import pytest
import pytest_asyncio

from tests.contract.node import KINDS, Node, running


def _skip_without(kind: str) -> None:
    variable = KINDS[kind].variable
    if variable and not os.environ.get(variable):
        pytest.skip(f"{variable} is not set: no {kind} to try")


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds of a small moving picture with sound, half a second a GOP."""
    file = tmp_path_factory.mktemp("clip") / "clip.mp4"
    options = """
        -hide_banner -loglevel error -f lavfi -i testsrc=size=160x120:rate=10
        -f lavfi -i sine=frequency=300:sample_rate=44100 -t 10
        -c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 5 -bf 0 -c:a aac -b:a 48k
    """
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([ffmpeg, *options.split(), str(file)], check=True)
    return file


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=KINDS)
async def shared_node(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    clip: Path,
) -> AsyncIterator[Node]:
    _skip_without(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    async with running(request.param, folder, clip) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def node(shared_node: Node) -> AsyncIterator[Node]:
    yield shared_node
    await shared_node.dismiss_encoders()


@pytest_asyncio.fixture(params=KINDS)
async def own_node(
    request: pytest.FixtureRequest, tmp_path: Path, clip: Path
) -> AsyncIterator[Node]:
    """A node that the test may stop."""
    _skip_without(request.param)
    async with running(request.param, tmp_path, clip) as started:
        yield started
