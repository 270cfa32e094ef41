"""Edges that are lost: their players play elsewhere, by themselves."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.support.browser import chromium, needs_chromium, needs_player, plays
from tests.support.edge import CacheEdge, MediaEdge
from tests.support.stack import Json, Stack, until

pytestmark = [
    needs_chromium,
    needs_player,
    pytest.mark.asyncio(loop_scope="session"),
]

Edge = CacheEdge | MediaEdge


@contextlib.asynccontextmanager
async def _two_edges(stack: Stack, folder: Path) -> AsyncIterator[list[Edge]]:
    """A cache, and a MediaMTX where there is one, behind an origin with room for one,
    who is there."""
    hls = f"http://127.0.0.1:{stack.ports['HLS']}"
    cache = CacheEdge(stack, _inside(folder, "cache"), hls)
    other: Edge = (
        MediaEdge(stack, folder)
        if stack.kind == "mediamtx"
        else CacheEdge(stack, _inside(folder, "other"), hls)
    )
    async with cache.running(), other.running():
        yield [cache, other]


def _inside(folder: Path, name: str) -> Path:
    """Which nginx's workers, who are nobody, may use as they may ``folder``."""
    found = folder / name
    found.mkdir()
    found.chmod(0o777)
    return found


@contextlib.asynccontextmanager
async def _live(stack: Stack, folder: Path) -> AsyncIterator[tuple[Json, list[Edge]]]:
    stack.env["CONTROL_PLANE_NODE_READERS"] = "1"
    await stack.start()
    async with _two_edges(stack, folder) as edges:
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

    async def plays_at(self, edges: list[Edge]) -> Edge:
        async def found() -> Edge | None:
            there = (one for one in edges if self.asked.startswith(one.url + "/"))
            return next(there, None)

        edge: Edge = await until(found)
        await plays(self.page)
        return edge


@contextlib.asynccontextmanager
async def _visit(browser: Browser, stack: Stack, live: Json) -> AsyncIterator[Visit]:
    async with await browser.new_context() as context:
        page = await context.new_page()
        visit = Visit(page)
        await page.goto(f"{stack.base}/watch/{live['id']}")
        yield visit


async def test_a_killed_one_and_then_the_other(
    own_stack: Stack, server_folder: Path
) -> None:
    async with (
        _live(own_stack, server_folder) as (live, edges),
        chromium() as browser,
        _visit(browser, own_stack, live) as visit,
    ):
        first = await visit.plays_at(edges)
        [second] = [edge for edge in edges if edge is not first]
        await first.kill()
        await visit.plays_at([second])
        await first.start()
        await until(lambda: _all_well(own_stack))
        await second.kill()
        await visit.plays_at([first])


async def _all_well(stack: Stack) -> bool:
    said = await stack.command("nodes", "list", "--json")
    return said.count('"silent_since": null') == 3
