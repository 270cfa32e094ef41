"""A real Chromium or Chrome, where the machine has one."""

import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from re import Pattern

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import (
    Browser,
    Page,
    ViewportSize,
    async_playwright,
    expect,
)

from control_plane.web.packages import PLAYER

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
]
WITHIN = 60.0  # seconds
#: As most viewers have it; less than a third to paint of what a desk has.
PHONE: ViewportSize = {"width": 360, "height": 740}
expect.set_options(timeout=WITHIN * 1000)
SOUND_AT_ONCE = "--autoplay-policy=no-user-gesture-required"
SOUND_AFTER_A_TAP = "--autoplay-policy=document-user-activation-required"


def find_chromium() -> Path | None:
    """CHROMIUM_BIN, else the first on PATH, else where macOS has it. Playwright's
    own download is no use: it cannot play H.264."""
    named = os.environ.get("CHROMIUM_BIN")
    if named:
        return Path(named)
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    return MAC if MAC.exists() else None


needs_chromium = pytest.mark.skipif(
    find_chromium() is None,
    reason="no Chromium or Chrome found: set CHROMIUM_BIN or install chromium",
)

needs_player = pytest.mark.skipif(
    not PLAYER.is_file(),
    reason="hls.js is not installed: run npm ci in control_plane/pages/player",
)


@contextlib.asynccontextmanager
async def chromium(
    autoplay: str = SOUND_AT_ONCE, more: tuple[str, ...] = ()
) -> AsyncIterator[Browser]:
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=find_chromium(), args=[*FLAGS, autoplay, *as_root, *more]
        )
        try:
            yield browser
        finally:
            await browser.close()


def complaints(page: Page) -> list[str]:
    """What the page's scripts threw and what its policy forbade, as it happens.
    Failed requests are not in it: a stream that went away is no fault of a page."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(f"{error}"))

    def heard(text: str) -> None:
        if "Content Security Policy" in text or "Uncaught" in text:
            found.append(text)

    page.on("console", lambda message: heard(message.text))
    return found


async def barriers(page: Page) -> list[str]:
    """What keeps people out, as axe says: of what is serious, the first place each."""
    found = await Axe().run(page)
    return [
        f"{one['id']}: {one['nodes'][0]['html']}"
        for one in found.response["violations"]
        if one["impact"] in ("serious", "critical")
    ]


async def plays(page: Page, seconds: float = 1.0, within: float = WITHIN) -> None:
    """Waits until the picture moved on by so much, from where it stands when it
    first plays, and frames were decoded. Fails after ``within`` seconds."""
    await page.wait_for_function(
        """(seconds) => {
            const video = document.querySelector("video");
            const playing = document.body.dataset.phase === "playing";
            if (!playing) window.playedFrom = undefined;
            else window.playedFrom ??= video.currentTime;
            return video.currentTime - window.playedFrom >= seconds
                && video.getVideoPlaybackQuality().totalVideoFrames > 0;
        }""",
        arg=seconds,
        timeout=within * 1000,
        polling=100,
    )
    await page.evaluate("window.playedFrom = undefined")


async def shows(page: Page, text: str | Pattern[str], within: float = WITHIN) -> None:
    """Waits until the page shows this text."""
    await expect(page.get_by_text(text).first).to_be_visible(timeout=within * 1000)


async def hides(page: Page, selector: str, within: float = WITHIN) -> None:
    await expect(page.locator(selector)).to_be_hidden(timeout=within * 1000)
