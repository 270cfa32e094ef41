"""The package as it is installed from a wheel, far from any checkout."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import aiohttp
import pytest

from tests.support.process import Process
from tests.support.stack import Stack, until

ROOT = Path(__file__).parents[2]
BUILD = "from hatchling.build import build_wheel; import sys; build_wheel(sys.argv[1])"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The Python of a virtual environment that holds the wheel. What it depends on
    comes from ours, where this checkout is installed in place: only by a .pth file,
    which does not count there."""
    subprocess.run([sys.executable, "-c", BUILD, str(tmp_path)], cwd=ROOT, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv/bin/python"
    options = "-m pip --python {} install --quiet --no-deps --no-index {}"
    subprocess.run([sys.executable, *options.format(python, wheel).split()], check=True)
    (site,) = (tmp_path / "venv/lib").glob("python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return python


async def test_an_installed_service_has_its_player(
    database_url: str, redis_url: str, tmp_path: Path, installed: Path
) -> None:
    async with Stack("sandbox", tmp_path, database_url, redis_url) as stack:
        env = stack.env | {"CONTROL_PLANE_NODE_NAME": ""}
        env.pop("PYTHONPATH", None)
        command = str(installed.with_name("control-plane"))
        service = await Process.start(tmp_path / "log", command, "serve", env=env)
        url = f"{stack.base}/assets/hls.mjs"
        try:
            player = await until(lambda: fetched(url, service))
        finally:
            await service.stop()
    assert b"Hls" in player
    assert str(installed.parents[1]) in where(installed)
    assert list((tmp_path / "venv").rglob("hls.js/LICENSE"))


async def fetched(url: str, service: Process) -> bytes:
    assert service.running, service.log.read_text()
    async with aiohttp.ClientSession() as http:
        try:
            async with http.get(url) as response:
                return await response.read() if response.status == 200 else b""
        except aiohttp.ClientError:
            return b""


def where(python: Path) -> str:
    """The package that this Python imports."""
    code = "import control_plane; print(control_plane.__file__)"
    return subprocess.check_output([python, "-c", code], cwd="/", text=True)
