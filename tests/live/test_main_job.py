"""The main job, seen by a viewer: the demo broadcaster in a real browser, from the
first picture over two viewers and a lost connection to the end."""

import re
import sys

import pytest
from playwright.async_api import Browser, Page

from tests.support.browser import (
    PHONE,
    chromium,
    complaints,
    hides,
    needs_chromium,
    needs_player,
    plays,
    shows,
)
from tests.support.process import Process
from tests.support.stack import Stack, until

pytestmark = [
    needs_chromium,
    needs_player,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(600),
]

WINDOW = 25  # seconds: how long the broadcaster may be away


class Demo:
    """``control-plane demo``, as somebody runs it in a terminal."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._log = stack.folder / "demo.log"
        self._process: Process | None = None

    async def start(self) -> str:
        """The address of the page that it prints."""
        self._log.unlink(missing_ok=True)
        self._process = await Process.start(
            self._log,
            sys.executable,
            "-m",
            "control_plane",
            "demo",
            env=self._stack.env,
        )

        async def printed() -> str:
            found = re.search(r"Watch it: +(\S+)", self._log.read_text())
            return found[1] if found else ""

        address = await until(printed)
        assert isinstance(address, str)
        return address

    async def stop(self) -> None:
        assert self._process is not None
        await self._process.stop()
        assert self._process.process.returncode == 0


async def _visit(browser: Browser, address: str) -> Page:
    """With storage of its own: another person's browser."""
    context = await browser.new_context(viewport=PHONE)
    page = await context.new_page()
    await page.goto(address)
    return page


async def test_the_demo_is_watched_lost_resumed_and_over(own_stack: Stack) -> None:
    own_stack.env["CONTROL_PLANE_RECONNECT_SECONDS"] = str(WINDOW)
    await own_stack.start()
    demo = Demo(own_stack)
    try:
        address = await demo.start()
        async with chromium() as browser:
            await _broadcast(browser, demo, address)
    finally:
        await demo.stop()


async def _broadcast(browser: Browser, demo: Demo, address: str) -> None:
    page = await _visit(browser, address)
    wrong = complaints(page)
    await plays(page, seconds=2)
    await shows(page, "1 watching")

    other = await _visit(browser, address)
    await plays(other)
    await shows(page, "2 watching")
    await other.context.close()
    await shows(page, "1 watching")

    await demo.stop()
    await shows(page, "Reconnecting…")
    assert await demo.start() == address
    await plays(page, seconds=2)
    await hides(page, "#notice")

    await demo.stop()
    await shows(page, "Reconnecting…")
    await shows(page, "This live has ended")
    await hides(page, "#viewers")
    assert wrong == []


async def test_the_list_follows_the_demo(own_stack: Stack) -> None:
    await own_stack.start()
    demo = Demo(own_stack)
    try:
        async with chromium() as browser:
            page = await _visit(browser, own_stack.base)
            await shows(page, "Nobody is live right now")
            address = await demo.start()
            await page.get_by_role("link", name="Demo").click()
            assert page.url == address
            await plays(page)
            assert await page.locator("#sandbox").is_visible() == (
                own_stack.kind == "sandbox"
            )
    finally:
        await demo.stop()
