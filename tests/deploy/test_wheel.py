"""The package as it is installed from a wheel, far from any checkout."""

import subprocess
import sys
import sysconfig
import venv
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.support.browser import chromium, needs_chromium, plays
from tests.support.process import Process
from tests.support.stack import Stack, until

ROOT = Path(__file__).parents[2]
BUILD = "from hatchling.build import build_wheel; import sys; build_wheel(sys.argv[1])"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a virtual environment that holds the wheel. What it depends on
    comes from ours, where this checkout is installed in place: only by a .pth file,
    which does not count there."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-c", BUILD, str(folder)], cwd=ROOT, check=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv/bin/python"
    options = "-m pip --python {} install --quiet --no-deps --no-index {}"
    subprocess.run([sys.executable, *options.format(python, wheel).split()], check=True)
    (site,) = (folder / "venv/lib").glob("python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return python


@pytest.fixture
async def stack(
    database_url: str, redis_url: str, tmp_path: Path, installed: Path
) -> AsyncIterator[Stack]:
    """A node, and the service from the wheel."""
    async with Stack("sandbox", tmp_path, database_url, redis_url) as stack:
        await stack.start_node()
        env = {name: v for name, v in stack.env.items() if name != "PYTHONPATH"}
        command = str(installed.with_name("control-plane"))
        service = await Process.start(tmp_path / "log", command, "serve", env=env)
        try:
            await until(lambda: fetched(f"{stack.base}/readyz", service))
            yield stack
        finally:
            await service.stop()


async def test_an_installed_service_has_its_player_and_its_guide(
    stack: Stack, installed: Path
) -> None:
    async with stack.http.get(f"{stack.base}/assets/hls.mjs") as response:
        assert b"Hls" in await response.read()
    operators = f"http://127.0.0.1:{stack.ports['OPERATOR']}"
    async with stack.http.get(f"{operators}/ops/assets/uplot.mjs") as response:
        assert b"uPlot" in await response.read()
    async with stack.http.get(f"{operators}/ops/guide") as response:
        assert b"<h1" in await response.read()
    assert str(installed.parents[1]) in where(installed)
    for name in ("hls.js/LICENSE", "uplot/LICENSE", "uplot/dist/uPlot.esm.js"):
        assert list(installed.parents[1].rglob(name))
    assert list(installed.parents[1].rglob("hooks/notify.sh"))


@needs_chromium
async def test_an_installed_service_serves_a_playing_page(stack: Stack) -> None:
    live = await stack.go_live(await stack.sign_in("ann"))
    await stack.publish(live["rtmp_url"])
    await stack.status(live["id"], "live")
    async with chromium() as browser:
        page = await browser.new_page()
        await page.goto(f"{stack.base}/watch/{live['id']}")
        await plays(page)


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
