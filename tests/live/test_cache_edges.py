"""Viewers behind a cache: real nginx, with the file that we write for it."""

import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.deploy.tools import tool
from tests.support.edge import CacheEdge, HlsReader, Origin
from tests.support.stack import Json, Stack

pytestmark = pytest.mark.asyncio(loop_scope="session")
MANY = 12


@pytest_asyncio.fixture(loop_scope="session")
async def origin(stack: Stack) -> AsyncIterator[Origin]:
    found = Origin(f"http://127.0.0.1:{stack.ports['HLS']}")
    async with found.running():
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def edge(
    stack: Stack, origin: Origin, server_folder: Path
) -> AsyncIterator[CacheEdge]:
    found = CacheEdge(stack, server_folder, origin.url)
    async with found.running(tool("nginx")):
        yield found


async def _live(stack: Stack, **more: object) -> Json:
    live = await stack.go_live(await stack.sign_in("ann"), **more)
    await stack.publish(live["rtmp_url"])
    await stack.status(live["id"], "live")
    return live


async def test_many_cost_the_origin_what_one_does(
    stack: Stack, origin: Origin, edge: CacheEdge
) -> None:
    live = await _live(stack)
    began = time.monotonic()
    stack.proxy.passed.clear()
    async with contextlib.AsyncExitStack() as many:
        readers = [HlsReader(stack.http, await edge.address(live)) for _ in range(MANY)]
        for reader in readers:
            await many.enter_async_context(reader.playing())
        for reader in readers:
            await reader.moves()
        await stack.viewers(live["id"], MANY)
        asked = [event for event, _ in stack.proxy.passed if event == "auth"]
        assert MANY <= len(asked) <= MANY * (1 + (time.monotonic() - began) // 10)
    files = {path: n for path, n in origin.asked.items() if path.endswith(".mp4")}
    assert files
    assert set(files.values()) == {1}
    assert not [path for path in origin.asked if "?" in path]
    assert set().union(*(reader.statuses for reader in readers)) == {200}
    await stack.viewers(live["id"], 0)
