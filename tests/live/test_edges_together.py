"""Two MediaMTX edges and a cache on one origin, at once."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.edge import CacheEdge, HlsReader, MediaEdge
from tests.support.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def edges(
    stack: Stack, server_folder: Path
) -> AsyncIterator[list[CacheEdge | MediaEdge]]:
    if stack.kind == "sandbox":
        pytest.skip("the sandbox node pulls nothing")
    cache = CacheEdge(stack, server_folder, f"http://127.0.0.1:{stack.ports['HLS']}")
    one, other = MediaEdge(stack, server_folder), MediaEdge(stack, server_folder)
    async with cache.running(), one.running(), other.running():
        yield [cache, one, other]


async def test_a_broadcast_behind_all_of_them(
    stack: Stack, edges: list[CacheEdge | MediaEdge]
) -> None:
    """Two viewers at each, one at the origin, and one of them everywhere at once."""
    token = await stack.sign_in("ann")
    live = await stack.go_live(token, policy="token")
    encoder = await stack.publish(live["rtmp_url"])
    await stack.status(live["id"], "live")
    watch = (await stack.ask("watch", {"id": live["id"]}))["Watch"]
    everywhere = [await edge.address(live, watch["token"]) for edge in edges]
    others = [await edge.address(live) for edge in edges]
    readers = [HlsReader(stack.http, url) for url in (*everywhere, *others)]
    await stack.watch(watch["playback_url"])
    async with contextlib.AsyncExitStack() as playing:
        for reader in readers:
            await playing.enter_async_context(reader.playing())
        for reader in readers:
            await reader.moves()
        await stack.viewers(live["id"], 1 + len(edges))

        denied = {"id": live["id"], "viewer": watch["viewer"]}
        await stack.ask("denyViewer", denied, token)
        await stack.viewers(live["id"], len(edges))
        for reader in readers[:3]:
            await reader.rests()

        await encoder.kill()
        await stack.status(live["id"], "reconnecting")
        await stack.publish(live["rtmp_url"])
        await stack.status(live["id"], "live")
        for reader in readers[3:]:
            await reader.moves()
        await stack.viewers(live["id"], len(edges))
        for reader in readers[:3]:
            await reader.rests()
