"""Viewers behind a cache: real nginx, with the file that we write for it."""

import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.deploy.front import make_certificate
from tests.deploy.tools import said, tool
from tests.support.edge import CacheEdge, HlsReader, Origin
from tests.support.nginx import configured
from tests.support.stack import Json, Stack, until

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
    async with found.running():
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
        asked = stack.proxy.passed.count(("auth", f"local/{live['path']}"))
        assert MANY <= asked <= MANY * (1 + (time.monotonic() - began) // 10)
    files = {path: n for path, n in origin.asked.items() if path.endswith(".mp4")}
    assert files
    # Who is late for one that is gone asks again.
    assert sum(files.values()) < 2 * len(files)
    assert not [path for path in origin.asked if "?" in path]
    assert set().union(*(reader.statuses for reader in readers)) <= {200, 404}


async def test_who_is_denied_gets_nothing_more(stack: Stack, edge: CacheEdge) -> None:
    token = await stack.sign_in("ann")
    live = await stack.go_live(token, policy="token")
    await stack.publish(live["rtmp_url"])
    await stack.status(live["id"], "live")
    watch = (await stack.ask("watch", {"id": live["id"]}))["Watch"]
    one = HlsReader(stack.http, await edge.address(live, watch["token"]))
    other = HlsReader(stack.http, await edge.address(live))
    forged = HlsReader(stack.http, one.url.replace("/Wy", "/Wz", 1))
    async with one.playing(), other.playing(), forged.playing():
        await one.moves()
        await other.moves()
        await stack.viewers(live["id"], 2)
        denied = {"id": live["id"], "viewer": watch["viewer"]}
        await stack.ask("denyViewer", denied, token)
        await one.ends_with(403)
        got = one.bytes
        await other.moves()
        await stack.viewers(live["id"], 1)
        assert one.bytes == got
    assert forged.statuses.keys() == {403}
    assert other.statuses.keys() <= {200, 404}


async def test_an_encoder_that_comes_back(stack: Stack, edge: CacheEdge) -> None:
    """The node then answers 401 to all but an index, which no player here asks for."""
    live = await stack.go_live(await stack.sign_in("ann"))
    encoder = await stack.publish(live["rtmp_url"])
    await stack.status(live["id"], "live")
    reader = HlsReader(stack.http, await edge.address(live))
    async with reader.playing():
        await reader.moves()
    [child, *_] = await reader.names(reader.url)
    await encoder.stop()
    await stack.status(live["id"], "reconnecting")
    await until(lambda: reader.gets(child, 503))
    await stack.publish(live["rtmp_url"])
    await until(lambda: reader.gets(child, 200))
    assert reader.statuses.keys() <= {200, 404, 503}


async def test_nginx_takes_it_with_tls(
    stack: Stack, edge: CacheEdge, tmp_path: Path
) -> None:
    make_certificate(tmp_path / "fullchain.pem", tmp_path / "privkey.pem")
    text = await edge.configuration("--certificate", str(tmp_path))
    said(tool("nginx"), "-t", "-c", str(configured(tmp_path, text)))
