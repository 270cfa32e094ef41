"""Takes the pictures in README and docs anew: ``python -m tests.screenshots``."""

import asyncio
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from playwright.async_api import Page, expect

from bench.servers import stores
from control_plane.base.schema import migrate
from tests.support import media
from tests.support.browser import chromium, plays
from tests.support.stack import Json, Stack

DOCS = Path(__file__).parents[1] / "docs"
DESK, PHONE = (1280, 800), (390, 844)
CHARTED = 70.0  # seconds after which each chart has more than a point
#: By username: the title, ffmpeg's picture, frames from one key frame to the next.
SHOWS: Mapping[str, tuple[str, str, int]] = {
    "ann": ("Morning coffee", "testsrc2", 50),
    "ben": ("Chess, blitz only", "smptehdbars", 50),
    "cleo": ("Fractals until midnight", "mandelbrot", 50),
    "dora": ("Guitar practice", "yuvtestsrc", 200),
}
CLIP = """
    -f lavfi -i {picture}=size=640x360:rate=25 -f lavfi -i sine=frequency=300 -t 24
    -c:v libx264 -preset veryfast -b:v {rate}k -g {gop} -pix_fmt yuv420p
    -c:a aac -b:a 64k
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_run(Path(folder)))


async def _run(folder: Path) -> None:
    media.FOLDER = folder
    async with stores() as urls:
        await migrate(urls.database)
        async with Stack("sandbox", folder, urls.database, urls.redis) as stack:
            await stack.start_node()
            await stack.start_service(CONTROL_PLANE_PREVIEW_SECONDS="5")
            ann, *_ = [await _live(stack, folder, name) for name in SHOWS]
            await _audience(stack, ann)
            await asyncio.sleep(CHARTED)
            await _take(stack, ann)


async def _live(stack: Stack, folder: Path, name: str) -> Json:
    title, picture, gop = SHOWS[name]
    clip = folder / f"{name}.mp4"
    rate = 600 + 200 * len(title)
    options = CLIP.format(picture=picture, gop=gop, rate=rate).split()
    command = (media.ffmpeg(), *media.QUIET, *options, str(clip))
    await asyncio.to_thread(subprocess.run, command, check=True)
    host = await stack.app.sign_in(name)
    live = await stack.go_live(host.token, title=title)
    await stack.loop(clip, live["rtmp_url"])
    return live


async def _audience(stack: Stack, live: Json) -> None:
    """Two who watch, of whom one gives."""
    await stack.status(live["id"], "live")
    for _ in range(2):
        await stack.watch(live["playback_url"])
    fan = await stack.app.sign_in("fan")
    await stack.command("ledger", "bonus", str(fan.id), "1000")
    gift = {"gift_id": 2, "gift_count": 3, "live_streaming_id": live["id"]}
    await fan.ask("sendGift", gift)


async def _take(stack: Stack, live: Json) -> None:
    scopes = ("read", "moderate", "keys", "money")
    words = [word for one in scopes for word in ("--scope", one)]
    token = (await stack.command("token", "create", "ann", *words)).strip()
    ops = f"http://127.0.0.1:{stack.ports['OPERATOR']}/ops"
    async with chromium() as browser:
        width, height = DESK
        page = await browser.new_page(viewport={"width": width, "height": height})
        await page.goto(f"{stack.base}/watch/{live['id']}")
        await plays(page)
        await page.screenshot(path=DOCS / "watch.png")
        await _sign_in(page, ops, token)
        await page.screenshot(path=DOCS / "ops-now.png")
        await page.goto(f"{ops}#/sessions/{live['id']}")
        await page.get_by_role("button", name="Play").click()
        await plays(page)
        await page.screenshot(path=DOCS / "ops-session.png", full_page=True)
        width, height = PHONE
        dark = await browser.new_page(
            viewport={"width": width, "height": height}, color_scheme="dark"
        )
        await _sign_in(dark, ops, token)
        await dark.screenshot(path=DOCS / "ops-phone.png")


async def _sign_in(page: Page, ops: str, token: str) -> None:
    await page.goto(ops)
    await page.get_by_label("Token").fill(token)
    await page.get_by_role("button", name="Sign in").click()
    pictures = page.locator(".picture img")
    await expect(pictures).to_have_count(len(SHOWS))
    for one in await pictures.all():
        await expect(one).to_have_js_property("complete", True)


if __name__ == "__main__":
    main()
