"""A node, the pages that play it, and a browser."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page

from control_plane.web import packages
from tests.support.browser import PHONE
from tests.support.hls import Node, hls_node
from tests.support.pages import Site, pages


@dataclass(frozen=True)
class Stage:
    node: Node
    site: Site
    context: BrowserContext

    async def open(self, path: str) -> Page:
        page = await self.context.new_page()
        await page.goto(self.site.url + path)
        return page


@contextlib.asynccontextmanager
async def stage(
    folder: Path, browser: Browser, player: Path = packages.PLAYER
) -> AsyncIterator[Stage]:
    async with (
        hls_node(folder) as node,
        pages(player) as site,
        await browser.new_context(viewport=PHONE) as context,
    ):
        site.updates.urls = [node.url]
        site.playback_url = f"{node.url}/live/12/index.m3u8"
        yield Stage(node, site, context)
