"""The list of what is live, in a real browser."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from control_plane.web import sse
from tests.support.browser import complaints, hides, needs_chromium, shows
from tests.support.pages import Site, snapshot
from tests.support.stack import until
from tests.support.stage import Stage

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="session")]

BE_HIDDEN = """(hidden) => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def bob(**changed: object) -> dict[str, object]:
    of_bob: dict[str, object] = {
        "id": "13",
        "channel_name": "bobs_den",
        "username": "bob",
        "title": "",
        "viewers": 1200,
    }
    return snapshot(**(of_bob | changed))


async def titles(page: Page) -> list[str]:
    return await page.locator(".card .title").all_inner_texts()


async def test_it_lists_what_is_live_and_follows_it(on: Stage) -> None:
    page = await on.open("/")
    wrong = complaints(page)
    await shows(page, "Nobody is live right now")

    on.site.updates.put_list([snapshot()])
    await shows(page, "Morning coffee")
    await hides(page, "#empty")
    await shows(page, "1 stream, 1 watching")

    on.site.updates.put_list([bob(), snapshot(viewers=2)])
    await shows(page, "Live with bob")
    await shows(page, "1.2K")
    assert await titles(page) == ["Live with bob", "Morning coffee"]

    on.site.updates.put_list([bob(status="reconnecting")])
    await shows(page, "Reconnecting")
    assert await titles(page) == ["Live with bob"]
    assert wrong == []


async def test_a_card_leads_to_the_channel_or_the_session(on: Stage) -> None:
    on.site.updates.put_list([snapshot(), bob()])
    page = await on.open("/")
    link = page.get_by_role("link", name="Morning coffee, ann, 1 watching")
    await expect(link).to_have_attribute("href", "/watch/12")
    await page.get_by_role("link", name="Live with bob").click()
    assert page.url == f"{on.site.url}/watch/bobs_den"


async def test_the_keyboard_stays_where_it_is_while_the_list_moves(
    on: Stage,
) -> None:
    on.site.updates.put_list([snapshot()])
    page = await on.open("/")
    await page.locator("[data-id='12'] a").focus()
    on.site.updates.put_list([snapshot(viewers=9), bob()])
    await shows(page, "Live with bob")
    on.site.updates.put_list([bob(), snapshot(viewers=9)])
    await expect(page.locator(".card").first).to_have_attribute("data-id", "13")
    await expect(page.locator("[data-id='12'] a")).to_be_focused()
    on.site.updates.put_list([snapshot(viewers=9), bob()])  # its own card is moved
    await expect(page.locator(".card").first).to_have_attribute("data-id", "12")
    await expect(page.locator("[data-id='12'] a")).to_be_focused()


async def test_nobody_is_said_to_be_live_only_once_it_is_told(on: Stage) -> None:
    on.site.updates.close()
    page = await on.context.new_page()
    await page.clock.install()
    await page.goto(on.site.url)
    await page.clock.run_for(25_000)
    await shows(page, "Connection lost.")
    await hides(page, "#empty")


async def test_a_preview_stands_before_the_cover(on: Stage) -> None:
    gone = f"{on.site.url}/assets/gone.svg"
    on.site.updates.put_list([snapshot(cover=gone, thumbnail="/assets/icon.svg")])
    page = await on.open("/")
    picture = page.locator(".card .cover img")
    await expect(picture).to_have_count(1)
    address = await picture.get_attribute("src") or ""
    assert address.startswith("/assets/icon.svg?")
    on.site.updates.put_list([snapshot(cover="", thumbnail="")])
    await expect(picture).to_have_count(0)


async def test_a_cover_that_cannot_be_had_leaves_the_drawn_one(on: Stage) -> None:
    icon = f"{on.site.url}/assets/icon.svg"
    gone = f"{on.site.url}/assets/gone.png"
    on.site.updates.put_list([snapshot(cover=icon), bob(cover=gone)])
    page = await on.open("/")
    await expect(page.locator("[data-id='12'] img")).to_be_visible()
    await expect(page.locator("[data-id='13'] img")).to_have_count(0)


async def test_a_list_that_nobody_sees_gives_its_connection_up(
    on: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "KEEP_ALIVE", 0.05)
    page = await on.open("/")
    await shows(page, "Nobody is live right now")
    await page.evaluate(BE_HIDDEN, arg=True)
    await until(_followed(on.site, []))
    on.site.updates.put_list([snapshot()])
    await page.evaluate(BE_HIDDEN, arg=False)
    await shows(page, "Morning coffee")


async def test_a_list_opened_in_a_background_tab_follows_once_it_is_seen(
    on: Stage,
) -> None:
    on.site.updates.put_list([snapshot()])
    page = await on.context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.add_init_script(f"({BE_HIDDEN})(true)")
    await page.goto(on.site.url)
    await page.evaluate(BE_HIDDEN, arg=False)
    await shows(page, "Morning coffee")
    on.site.updates.put_list([snapshot(), bob()])
    await shows(page, "Live with bob")
    assert asked.count(f"{on.site.url}/events") == 1


def _followed(site: Site, what: list[str]) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return site.updates.followed == what

    return look


@pytest.mark.parametrize("path", ["/", "/watch/12"])
async def test_a_phone_needs_no_sideways_scrolling(on: Stage, path: str) -> None:
    long_title = "Averylongwordwithoutanyblank" * 4
    away = bob(status="reconnecting", viewers=1_234_567)
    on.site.updates.put_list([snapshot(title=long_title), away, bob(id="14")])
    on.site.updates.put("12", snapshot(title=long_title))
    page = await on.open(path)
    await page.set_viewport_size({"width": 360, "height": 740})
    await shows(page, long_title)
    assert await page.evaluate("document.documentElement.scrollWidth") == 360


async def test_text_from_others_is_never_markup(on: Stage) -> None:
    evil = "<img src=x onerror=alert(1)>"
    on.site.updates.put_list([snapshot(title=evil, cover="javascript:alert(1)")])
    on.site.updates.put("12", snapshot(title=evil, username=evil))
    for path in ("/", "/watch/12"):
        page = await on.open(path)
        await shows(page, evil)
        await expect(page.locator("img")).to_have_count(0)
