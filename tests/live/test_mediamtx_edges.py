"""A MediaMTX that serves what it pulls from the node, and asks us about its readers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.commands import command
from tests.support.ports import free_ports
from tests.support.process import Process
from tests.support.stack import PORTS, Json, Stack

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Edge:
    def __init__(self, stack: Stack, folder: Path) -> None:
        self.name = f"edge-{stack.unique()}"
        self.stack = stack
        self.folder = folder
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        self.hls = f"http://127.0.0.1:{self.ports['HLS']}"

    async def start(self) -> Process:
        api = f"http://127.0.0.1:{self.ports['API']}"
        await self.stack.command(
            *("nodes", "add", self.name, "--role", "edge", "--api", api),
            *("--host", "127.0.0.1", "--hls-url", self.hls),
        )
        origin = f"local=rtsp://127.0.0.1:{self.stack.ports['RTSP']}"
        here = {f"CONTROL_PLANE_{n}_PORT": str(p) for n, p in self.ports.items()}
        said = await command(
            self.stack.env | here,
            *("mediamtx-config", "--node", self.name, "--bind", "127.0.0.1"),
            *("--role", "edge", "--origin", origin),
        )
        assert said.exit_code == 0, said.output
        config = self.folder / "edge.yml"
        config.write_text(said.stdout)
        log = self.folder / "edge.log"
        return await Process.start(log, self.stack.binary, str(config))

    async def address(self, live: Json) -> str:
        watch = (await self.stack.ask("watch", {"id": live["id"]}))["Watch"]
        return f"{self.hls}/local/{live['path']}/index.m3u8?token={watch['token']}"


@pytest_asyncio.fixture(loop_scope="session")
async def edge(stack: Stack, tmp_path: Path) -> AsyncIterator[Edge]:
    if stack.kind == "sandbox":
        pytest.skip("the sandbox node pulls nothing")
    found = Edge(stack, tmp_path)
    process = await found.start()
    yield found
    await process.stop()
    await stack.command("nodes", "remove", found.name)


async def test_its_readers_count_once_and_it_does_not(stack: Stack, edge: Edge) -> None:
    token = await stack.sign_in("ann")
    live = await stack.go_live(token, policy="token")
    await stack.publish(live["rtmp_url"])
    await stack.status(live["id"], "live")
    first = await stack.watch(await edge.address(live))
    second = await stack.watch(await edge.address(live))
    await stack.viewers(live["id"], 2)
    await first.stop()
    await stack.viewers(live["id"], 1)
    await stack.ask("denyViewer", {"id": live["id"], "all": 1}, token)
    await second.ended()
    await stack.viewers(live["id"], 0)
    shown = await stack.show(live["id"])
    assert shown["peak_viewers"] == 2


async def test_it_takes_no_encoder(stack: Stack, edge: Edge) -> None:
    live = await stack.go_live(await stack.sign_in("ann"))
    rtmp = f"127.0.0.1:{edge.ports['RTMP']}"
    own = live["rtmp_url"].replace(f"127.0.0.1:{stack.ports['RTMP']}/", f"{rtmp}/")
    assert rtmp in own
    for url in (own, own.replace("/live/", "/local/live/")):
        refused = await stack.publish(url)
        assert await refused.ended() != 0
