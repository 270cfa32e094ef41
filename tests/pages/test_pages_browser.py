"""The pages in a real browser, playing what a node's HLS side gives."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from control_plane.pages import assets
from tests.support_browser import chromium, complaints, needs_chromium, plays, shows
from tests.support_hls import Node, hls_node
from tests.support_pages import Site, pages, snapshot

pytestmark = [
    needs_chromium,
    pytest.mark.skipif(
        not assets.PLAYER.is_file(),
        reason="hls.js is not installed: npm ci in control_plane/pages/player",
    ),
]


@dataclass
class Stage:
    """A node, the pages that play it, and a browser."""

    node: Node
    site: Site
    browser: Browser

    async def open(self, path: str) -> Page:
        page = await self.browser.new_page()
        await page.goto(self.site.url + path)
        return page


@contextlib.asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[Stage]:
    async with hls_node(folder) as node, pages() as site, chromium() as browser:
        site.feed.urls = [node.url]
        site.playback_url = f"{node.url}/live/12/index.m3u8"
        yield Stage(node, site, browser)


async def test_it_plays(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await on.node.publish()
        on.site.feed.put("12", snapshot(viewers=3))
        page = await on.open("/watch/12")
        wrong = complaints(page)
        await plays(page, seconds=2)
        await shows(page, "3 watching")
        assert await page.title() == "Morning coffee · Live"
        assert wrong == []
