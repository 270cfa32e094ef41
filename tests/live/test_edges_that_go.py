"""Edges that are lost or drained: their players play elsewhere, by themselves."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.support.browser import (
    PHONE,
    chromium,
    needs_chromium,
    needs_player,
    plays,
)
from tests.support.edge import CacheEdge, MediaEdge
from tests.support.stack import Json, Stack, until

pytestmark = [
    needs_chromium,
    needs_player,
    pytest.mark.asyncio(loop_scope="session"),
]

Edge = CacheEdge | MediaEdge


@contextlib.asynccontextmanager
async def _two_edges(
    stack: Stack, folder: Path, first: str
) -> AsyncIterator[list[Edge]]:
    """A cache, and a MediaMTX where there is one. All but everybody is sent to the
    first one."""
    hls = f"http://127.0.0.1:{stack.ports['HLS']}"
    cache = CacheEdge(stack, _inside(folder, "cache"), hls)
    other: Edge = (
        MediaEdge(stack, folder)
        if stack.kind == "mediamtx"
        else CacheEdge(stack, _inside(folder, "other"), hls)
    )
    edges = [cache, other] if first == "cache" else [other, cache]
    async with edges[0].running("--weight", "1000000000"), edges[1].running():
        yield edges


def _inside(folder: Path, name: str) -> Path:
    """Which nginx's workers, who are nobody, may use as they may ``folder``."""
    found = folder / name
    found.mkdir()
    found.chmod(0o777)
    return found


@contextlib.asynccontextmanager
async def _live(
    stack: Stack, folder: Path, first: str
) -> AsyncIterator[tuple[Json, list[Edge]]]:
    """Behind an origin with room for one, who is there."""
    stack.env["CONTROL_PLANE_NODE_READERS"] = "1"
    await stack.start()
    async with _two_edges(stack, folder, first) as edges:
        live = await stack.go_live(await stack.sign_in("ann"))
        await stack.publish(live["rtmp_url"])
        await stack.status(live["id"], "live")
        watch = (await stack.ask("watch", {"id": live["id"]}))["Watch"]
        assert f":{stack.ports['HLS']}/" in watch["playback_url"]
        await stack.watch(watch["playback_url"])
        await stack.viewers(live["id"], 1)
        yield live, edges


class Visit:
    """A page, and where it gets its stream."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked = ""
        page.on("request", self._requested)

    def _requested(self, request: object) -> None:
        url = str(getattr(request, "url", ""))
        if ".m3u8" in url:
            self.asked = url

    async def plays_at(self, edge: Edge) -> None:
        async def asks_there() -> bool:
            return self.asked.startswith(edge.url + "/")

        await until(asks_there)
        await plays(self.page)


@contextlib.asynccontextmanager
async def _visit(browser: Browser, stack: Stack, live: Json) -> AsyncIterator[Visit]:
    async with await browser.new_context(viewport=PHONE) as context:
        page = await context.new_page()
        visit = Visit(page)
        await page.goto(f"{stack.base}/watch/{live['id']}")
        yield visit


@pytest.mark.parametrize("first", ["cache", "edge"])
async def test_its_page_plays_elsewhere(
    own_stack: Stack, server_folder: Path, first: str
) -> None:
    """One is killed, and when it is back the other is drained."""
    if own_stack.kind == "sandbox" and first == "edge":
        pytest.skip("the sandbox node pulls nothing")
    async with (
        _live(own_stack, server_folder, first) as (live, [edge, other]),
        chromium() as browser,
        _visit(browser, own_stack, live) as visit,
    ):
        await visit.plays_at(edge)
        await edge.kill()
        await visit.plays_at(other)
        await edge.start()
        await until(lambda: _all_well(own_stack))
        await own_stack.command("nodes", "drain", other.name, "--wait", "60")
        await visit.plays_at(edge)


async def _all_well(stack: Stack) -> bool:
    said = await stack.command("nodes", "list", "--json")
    return said.count('"silent_since": null') == 3
