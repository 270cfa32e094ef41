"""Playing in a real browser what a node's HLS side gives."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.support.browser import (
    PHONE,
    SOUND_AFTER_A_TAP,
    chromium,
    complaints,
    hides,
    needs_chromium,
    needs_player,
    plays,
    shows,
)
from tests.support.hls import Node, hls_node
from tests.support.pages import Site, gift, snapshot
from tests.support.stack import until
from tests.support.stage import Stage, stage

pytestmark = [
    needs_chromium,
    needs_player,
    pytest.mark.asyncio(loop_scope="session"),
]

WITHOUT_MSE = """
    delete window.MediaSource;
    delete window.ManagedMediaSource;
    delete window.WebKitMediaSource;
"""


def soon(seconds: float = 60.0) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )


async def test_it_plays(on: Stage) -> None:
    await on.node.publish()
    on.site.updates.put("12", snapshot())
    page = await on.open("/watch/12")
    wrong = complaints(page)
    await plays(page, seconds=2)
    await hides(page, "#notice")
    assert await page.title() == "Morning coffee · Live"
    assert wrong == []


async def test_it_plays_on_a_phone_of_years_ago(on: Stage) -> None:
    """Safari 15 and old web views."""
    await on.node.publish()
    on.site.updates.put("12", snapshot())
    page = await on.context.new_page()
    await page.add_init_script("delete AbortSignal.timeout; delete AbortSignal.any;")
    await page.goto(f"{on.site.url}/watch/12")
    await plays(page)


async def test_the_count_moves_without_reloading(on: Stage) -> None:
    on.site.updates.put("12", snapshot(viewers=1))
    page = await on.open("/watch/12")
    await shows(page, "1 watching")
    on.site.updates.put("12", snapshot(viewers=2))
    await shows(page, "2 watching")


async def test_gifts_show_as_they_come(on: Stage) -> None:
    await on.node.publish()
    on.site.updates.put("12", snapshot())
    page = await on.open("/watch/12")
    wrong = complaints(page)
    await plays(page)
    on.site.feeds.put(
        [gift(1, sender="bob", count=2), gift(2, sender="<b>eve", count=1)]
    )
    shown = page.locator("#gifts li")
    # At one look: they go by themselves.
    await expect(shown).to_contain_text([re.compile("bob.*2$"), "<b>eve"])
    on.site.feeds.put([gift(3, sender="bob", count=3)])
    await expect(shown.first.locator(".times")).to_contain_text("5")
    await expect(shown).to_have_count(0)  # after a while
    assert wrong == []


async def test_gifts_leave_a_small_picture_free(on: Stage) -> None:
    await on.node.publish()
    on.site.updates.put("12", snapshot())
    page = await on.open("/watch/12")
    await plays(page)
    names = ("a", "bb", "ccc", "dddd")
    on.site.feeds.put([gift(seq, name, 1) for seq, name in enumerate(names, 1)])
    await shows(page, "dddd")
    stage, gifts = page.locator("#stage"), page.locator("#gifts")
    picture, list_ = await stage.bounding_box(), await gifts.bounding_box()
    assert picture
    assert list_
    assert list_["y"] > picture["y"] + picture["height"] / 4


async def test_a_reload_is_the_same_viewer(on: Stage) -> None:
    await on.node.publish()
    on.site.updates.put("12", snapshot())
    page = await on.open("/watch/12")
    await plays(page)
    await page.reload()
    await plays(page)
    tokens = dict.fromkeys(asked.get("token") for asked in on.site.asked)
    assert [*tokens] == [None, "visitor-1"]
    assert set(on.node.tokens) == {"visitor-1"}


async def test_it_reconnects_by_itself_and_keeps_the_last_picture(
    on: Stage,
) -> None:
    await on.node.publish()
    on.site.updates.put("12", snapshot())
    page = await on.open("/watch/12")
    wrong = complaints(page)
    await plays(page)

    await on.node.unpublish()
    away = snapshot(status="reconnecting", reconnecting_until=soon())
    on.site.updates.put("12", away)
    await shows(page, "Reconnecting…")
    await shows(page, re.compile(r"waiting \d:\d\d"))
    await expect(page.locator("#still")).to_be_visible()

    await on.node.publish()
    on.site.updates.put("12", snapshot())
    await plays(page)
    await hides(page, "#still")
    await hides(page, "#countdown")
    assert wrong == []


async def test_it_survives_a_publisher_that_takes_over(on: Stage) -> None:
    """The session stays live all the time: only the node's 401 tells."""
    await on.node.publish()
    on.site.updates.put("12", snapshot())
    page = await on.open("/watch/12")
    await plays(page)
    await on.node.publish()
    await _starts_anew(on.node)
    await plays(page)


async def test_it_follows_its_session_to_another_node(
    on: Stage, tmp_path: Path
) -> None:
    async with hls_node(tmp_path / "other") as other:
        on.site.updates.urls = [on.node.url, other.url]
        await on.node.publish()
        await other.publish()
        on.site.updates.put("12", snapshot())
        page = await on.open("/watch/12")
        wrong = complaints(page)
        await plays(page)
        on.site.playback_url = f"{other.url}/live/12/index.m3u8"
        on.site.updates.put("12", snapshot(node="other"))
        await _starts_anew(other)
        await plays(page)
        assert set(other.tokens) == {"visitor-1"}
        assert wrong == []


async def test_it_leaves_an_edge_that_drains_when_its_lot_is_drawn(
    on: Stage, tmp_path: Path
) -> None:
    async with hls_node(tmp_path / "other") as other:
        on.site.updates.urls = [on.node.url, other.url]
        await on.node.publish()
        await other.publish()
        on.site.updates.put("12", snapshot())
        page = await on.open("/watch/12")
        wrong = complaints(page)
        await plays(page)
        on.site.playback_url = f"{other.url}/live/12/index.m3u8"
        on.site.updates.put("12", snapshot(leaving={"edge-1": 0.25, "edge-2": 1}))
        await plays(page)
        assert other.tokens == []
        on.site.updates.put("12", snapshot(leaving={"edge-1": 0.75}))
        await _starts_anew(other)
        await plays(page)
        assert wrong == []


async def _starts_anew(node: Node, within: float = 60.0) -> None:
    """Waits until it asks for the master playlist once more."""
    asked = len(node.tokens)

    async def again() -> bool:
        return len(node.tokens) > asked

    await until(again, within)


async def test_it_tries_anew_while_the_node_has_nothing_yet(on: Stage) -> None:
    on.site.updates.put("12", snapshot())
    page = await on.open("/watch/12")
    await shows(page, "Connecting…")
    await expect(page.locator("body")).to_have_attribute("data-phase", "waiting")
    await on.node.publish()
    await plays(page)
    assert len(on.node.tokens) > 1


async def test_a_session_that_ends_stays_ended(on: Stage) -> None:
    await on.node.publish()
    on.site.updates.put("12", snapshot())
    page = await on.open("/watch/12")
    await plays(page)
    over = snapshot(
        status="ended", ended_at="2026-11-23 00:34:00", viewers=0, peak_viewers=7
    )
    on.site.updates.put("12", over)
    await shows(page, "This live has ended")
    await shows(page, "It lasted 34 minutes, with up to 7 watching.")
    await expect(page.locator("#still")).to_be_visible()
    await expect(page.get_by_role("link", name="See what is live")).to_be_visible()
    await hides(page, "#viewers")
    await until(lambda: _nobody_follows(on.site))


async def _nobody_follows(site: Site) -> bool:
    return not site.updates.followed


async def test_it_waits_for_the_beginning(on: Stage) -> None:
    on.site.updates.put("12", snapshot(status="created", started_at=""))
    page = await on.open("/watch/12")
    await shows(page, "Starting soon")
    assert on.site.asked == []
    await on.node.publish()
    on.site.updates.put("12", snapshot())
    await plays(page)


async def test_a_channel_begins_by_itself_again_and_again(on: Stage) -> None:
    on.site.updates.put("ann", None)
    page = await on.open("/watch/ann")
    await shows(page, "ann is offline")

    await on.node.publish()
    on.site.updates.put("ann", snapshot(channel_name="ann"))
    await plays(page)

    on.site.updates.put("ann", snapshot(channel_name="ann", status="ended"))
    await shows(page, "ann has ended this live")

    on.site.updates.put("ann", snapshot(channel_name="ann", id="13"))
    await plays(page)
    assert [*dict.fromkeys(asked["id"] for asked in on.site.asked)] == ["12", "13"]


async def test_an_unknown_name_is_said(on: Stage) -> None:
    page = await on.open("/watch/99")
    await shows(page, "No such stream")
    await expect(page.get_by_role("link", name="See what is live")).to_be_visible()


async def test_what_the_api_refuses_is_said(on: Stage) -> None:
    on.site.refusal = "This broadcast is for followers."
    on.site.updates.put("12", snapshot())
    page = await on.open("/watch/12")
    await shows(page, "This broadcast is for followers.")
    on.site.refusal = ""
    await on.node.publish()
    await plays(page)


async def test_it_plays_natively_where_hls_js_cannot(on: Stage) -> None:
    await on.node.publish()
    on.site.updates.put("12", snapshot())
    page = await on.context.new_page()
    await page.add_init_script(WITHOUT_MSE)
    await page.goto(f"{on.site.url}/watch/12")
    if not await page.evaluate(
        "document.createElement('video').canPlayType('application/vnd.apple.mpegurl')"
    ):
        pytest.skip("this browser has no native HLS")
    await plays(page)
    source = await page.evaluate("document.querySelector('video').src")
    assert source.startswith(on.node.url)

    await on.node.publish()
    # Players of their own first show what they still hold.
    await _starts_anew(on.node)
    await plays(page)


async def test_it_plays_silently_where_sound_needs_a_tap(tmp_path: Path) -> None:
    async with chromium(SOUND_AFTER_A_TAP) as other, stage(tmp_path, other) as on:
        await on.node.publish()
        on.site.updates.put("12", snapshot())
        page = await on.open("/watch/12")
        # Not looked at before it plays: a look counts as a tap.
        await on.node.visited.wait()
        await shows(page, "Tap for sound")
        assert await page.evaluate("document.querySelector('video').muted")
        await page.get_by_role("button", name="Tap for sound").click()
        assert not await page.evaluate("document.querySelector('video').muted")
        await hides(page, "#sound")
        await plays(page)


async def test_a_viewer_can_hold_it_and_goes_on_with_what_is_live(
    on: Stage,
) -> None:
    await on.node.publish()
    on.site.updates.put("12", snapshot())
    page = await on.open("/watch/12")
    await plays(page)
    await page.keyboard.press("Space")
    await expect(page.locator("#still")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.wait_for_timeout(2500)
    assert [url for url in asked if url.startswith(on.node.url)] == []
    await page.locator("#tap").click()
    await plays(page)


async def test_who_paused_by_other_means_hears_nothing_of_the_next_picture(
    on: Stage,
) -> None:
    """A phone does, whose headphones are pulled out."""
    await on.node.publish()
    on.site.updates.put("12", snapshot())
    page = await on.open("/watch/12")
    await plays(page)
    await page.evaluate("document.querySelector('video').pause()")
    await on.node.publish()
    on.site.updates.put("12", snapshot(node="local2"))
    await expect(page.locator("body")).to_have_attribute("data-phase", "held")
    on.site.updates.put("12", snapshot(status="reconnecting"))
    await shows(page, "Reconnecting")
    await hides(page, "#notice")
    await page.locator("#tap").click()
    on.site.updates.put("12", snapshot())
    await plays(page)


async def test_what_ended_and_went_on_was_paused_by_nobody(on: Stage) -> None:
    """As players of browsers' own come to the end of a list that grows later."""
    await on.node.publish()
    on.site.updates.put("12", snapshot())
    page = await on.open("/watch/12")
    await plays(page)
    await page.evaluate(
        """() => new Promise((resolve) => {
            const video = document.querySelector("video");
            Object.defineProperty(video, "ended", { value: true, configurable: true });
            video.addEventListener("pause", () => (delete video.ended, resolve()));
            video.pause();
        })"""
    )
    await on.node.publish()
    on.site.updates.put("12", snapshot(node="local2"))
    await plays(page)


async def test_a_finger_on_what_has_faded_presses_nothing(
    on: Stage, browser: Browser
) -> None:
    await on.node.publish()
    on.site.updates.put("12", snapshot())
    async with await browser.new_context(viewport=PHONE, has_touch=True) as context:
        page = await context.new_page()
        await page.goto(f"{on.site.url}/watch/12")
        await plays(page)
        controls = page.locator(".controls")
        await expect(controls).to_have_css("opacity", "0")
        place = await page.locator("#play").bounding_box()
        assert place
        at = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
        await page.touchscreen.tap(*at)
        await expect(page.locator("#stage")).to_contain_class("awake")
        await expect(page.locator("body")).to_have_attribute("data-phase", "playing")
        await expect(controls).to_have_css("opacity", "1")
        await page.touchscreen.tap(*at)
        await expect(page.locator("body")).to_have_attribute("data-phase", "held")


async def test_a_node_that_is_younger_than_the_page_is_reached(
    on: Stage,
) -> None:
    on.site.updates.urls = []
    on.site.updates.put("ann", None)
    page = await on.open("/watch/ann")
    await shows(page, "ann is offline")
    on.site.updates.urls = [on.node.url]
    await on.node.publish()
    on.site.updates.put("ann", snapshot(channel_name="ann"))
    await plays(page)


async def test_a_missing_player_is_said(browser: Browser, tmp_path: Path) -> None:
    async with stage(tmp_path, browser, player=tmp_path / "none.mjs") as on:
        on.site.updates.put("12", snapshot())
        page = await on.context.new_page()
        await page.add_init_script("HTMLMediaElement.prototype.canPlayType = () => '';")
        await page.goto(f"{on.site.url}/watch/12")
        await shows(page, "The player is not installed on this server")


async def test_the_sandbox_node_is_named(on: Stage) -> None:
    on.site.updates.put("12", snapshot(sandbox=True))
    page = await on.open("/watch/12")
    await shows(page, "sandbox node: not for production")


async def test_it_says_when_the_server_is_away_and_comes_back(on: Stage) -> None:
    await on.node.publish()
    on.site.updates.put("12", snapshot())
    page = await on.open("/watch/12")
    await plays(page)
    on.site.updates.close()
    await shows(page, "Connection lost. Trying again…")
    await plays(page)
    on.site.updates.reopen()
    on.site.updates.put("12", snapshot(viewers=5))
    await shows(page, "5 watching")
    await hides(page, "#away")
