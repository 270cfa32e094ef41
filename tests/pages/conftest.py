from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser

from tests.support.browser import chromium
from tests.support.stage import Stage, stage


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One for all tests: each has a context of its own."""
    async with chromium() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def on(browser: Browser, tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path, browser) as opened:
        yield opened
