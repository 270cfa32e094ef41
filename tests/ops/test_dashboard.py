"""The dashboard in a real browser, over a real broadcast."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from tests.support.browser import (
    WITHIN,
    barriers,
    chromium,
    complaints,
    needs_chromium,
    plays,
    shows,
)
from tests.support.servers import Numbered
from tests.support.stack import Json, Stack

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="session")]


PICTURED = "() => document.querySelector('.picture img')?.naturalWidth > 0"


#: A node that takes broadcasts, and that nobody looks at.
SPARE = """
    INSERT INTO nodes (name, api_url, rtmp_url, hls_url, webrtc_url, srt_url, rtsp_url,
        owner, lease_until)
    VALUES ('spare', '', '', '', '', '', '', 'nobody', now() + interval '1 hour')
"""


@dataclass(frozen=True)
class Desk:
    stack: Stack
    browser: Browser

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.stack.ports['OPERATOR']}"

    async def token(self, name: str, *scopes: str) -> str:
        words = [word for scope in scopes for word in ("--scope", scope)]
        return (await self.stack.command("token", "create", name, *words)).strip()

    async def sign_in(self, token: str) -> Page:
        context = await self.browser.new_context()
        page = await context.new_page()
        await page.goto(f"{self.url}/ops")
        await page.get_by_label("Token").fill(token)
        await page.get_by_role("button", name="Sign in").click()
        return page

    async def live(self) -> Json:
        """Not for everybody's eyes, so that its picture is not either."""
        name = await self.stack.sign_in("ann")
        title = f"Coffee {self.stack.unique()}"
        live = await self.stack.go_live(name, title=title, policy="followers")
        await self.stack.publish(live["rtmp_url"])
        await self.stack.status(live["id"], "live")
        return live


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desk(
    tmp_path_factory: pytest.TempPathFactory,
    module_database_url: str,
    numbered_urls: Numbered,
) -> AsyncIterator[Desk]:
    folder, redis = tmp_path_factory.mktemp("desk"), numbered_urls.take()
    async with (
        Stack("sandbox", folder, module_database_url, redis) as stack,
        chromium() as browser,
    ):
        await stack.start_node()
        await stack.start_service(CONTROL_PLANE_PREVIEW_SECONDS="1")
        yield Desk(stack, browser)


async def test_a_token_opens_it_until_one_signs_out(desk: Desk) -> None:
    page = await desk.sign_in("cpo_wrong")
    wrong = complaints(page)
    await shows(page, "This needs an operator's token that is valid.")
    await page.get_by_label("Token").fill(await desk.token("reader", "read"))
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Now", exact=True)).to_be_visible()
    await expect(page.get_by_role("banner")).to_contain_text("reader")
    await page.reload()
    await shows(page, "reader")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_label("Token")).to_be_visible()
    await page.reload()
    await expect(page.get_by_label("Token")).to_be_visible()
    assert wrong == []


async def test_a_broadcast_is_seen_ended_and_found_in_the_audit_log(desk: Desk) -> None:
    live = await desk.live()
    page = await desk.sign_in(await desk.token("ann", "read", "moderate", "admin"))
    wrong = complaints(page)
    row = page.locator("#rows li").filter(has_text=live["title"])
    await expect(row.get_by_text("kbit/s")).to_be_visible()
    assert await barriers(page) == []
    await expect(row).to_contain_text("H264")
    await page.wait_for_function(PICTURED, timeout=WITHIN * 1000)
    await page.get_by_label("Search").fill(live["title"].upper())
    await expect(page.locator("#rows li")).to_have_count(1)
    await row.get_by_role("link").click()
    await expect(page.get_by_role("heading", name=live["title"])).to_be_visible()
    await shows(page, "live.started")
    await expect(page.locator(".chart canvas")).to_have_count(3)
    await page.get_by_role("button", name="Play").click()
    await plays(page)
    await expect(page.get_by_text("0 (at most 0")).to_be_visible()
    assert await barriers(page) == []
    await page.get_by_role("button", name="Who may watch").click()
    await page.get_by_label("Who may watch", exact=True).select_option("public")
    assert await barriers(page) == []
    await page.get_by_label("Reason").fill("for all")
    await page.get_by_role("button", name="Set it").click()
    await expect(page.get_by_role("definition").get_by_text("public")).to_be_visible()
    await page.get_by_role("button", name="End").click()
    await shows(page, "It cannot go on; the host may begin another.")
    await page.get_by_label("Reason").fill("a rehearsal")
    await page.get_by_role("button", name="End it").click()
    await shows(page, "live.ended")
    await expect(page.locator(".session .picture")).to_be_visible()
    await desk.stack.status(live["id"], "ended")
    await page.get_by_role("link", name="Audit").click()
    entry = page.locator("tr").filter(has_text=f"session/{live['id']}").first
    await expect(entry).to_contain_text("operator:ann")
    await expect(entry).to_contain_text("a rehearsal")
    assert wrong == []


@pytest.mark.usefixtures("unhurried")
async def test_a_node_that_is_younger_than_the_page_is_said(desk: Desk) -> None:
    live = await desk.live()
    page = await desk.sign_in(await desk.token("early", "read"))

    async def before(route: Route) -> None:
        """Before there was a node."""
        found = await route.fetch()
        policy = found.headers["content-security-policy"]
        older = re.sub(r" http://[^ ;]*", "", policy)
        headers = found.headers | {"content-security-policy": older}
        await route.fulfill(response=found, headers=headers)

    await page.route("**/ops", before)
    await page.reload()
    await page.locator("#rows").get_by_role("link", name=live["title"]).click()
    await page.get_by_role("button", name="Play").click()
    await shows(page, "This node is newer than the page: reload it.")
    await page.context.close()
    await desk.stack.command("kick", live["id"])


@pytest.mark.usefixtures("unhurried")
async def test_the_last_picture_stays_while_the_encoder_is_away(desk: Desk) -> None:
    live = await desk.live()
    page = await desk.sign_in(await desk.token("late", "read"))
    await page.wait_for_function(PICTURED, timeout=WITHIN * 1000)
    await desk.stack.tidy()
    await shows(page, "encoder away;")
    await page.reload()
    await shows(page, "encoder away;")
    await page.wait_for_function(PICTURED, timeout=WITHIN * 1000)
    await desk.stack.command("kick", live["id"])


async def test_a_revoked_token_is_out_at_once(desk: Desk) -> None:
    page = await desk.sign_in(await desk.token("leaver", "read"))
    await shows(page, "leaver")
    await desk.stack.command("token", "revoke", "leaver")
    await shows(page, "Please sign in again.")


async def test_a_key_is_rotated_and_a_payout_decided(desk: Desk) -> None:
    stack = desk.stack
    ann, bob = await stack.app.sign_in("star"), await stack.app.sign_in("fan")
    said = {"name": "OBS", "channel_name": f"star-{stack.unique()}"}
    key = (await ann.ask("streamKeys", said))["StreamKey"]
    await stack.publish(key["rtmp_url"])
    live = await stack.listed(channel_name=said["channel_name"])
    await stack.command("ledger", "bonus", str(bob.id), "1000")
    gift = {"gift_id": 2, "gift_count": 3, "live_streaming_id": live["id"]}
    await bob.ask("sendGift", gift)
    await ann.ask("withdrawRequest", {"coin": 150, "email": "star@example.com"})

    page = await desk.sign_in(await desk.token("owner", "read", "keys", "money"))
    wrong = complaints(page)
    await page.goto(f"{desk.url}/ops#/sessions/{live['id']}")
    gifts = page.get_by_role("table", name="Gifts")
    await expect(gifts.get_by_role("row").nth(1)).to_contain_text("150")
    await page.get_by_role("button", name="Rotate").click()
    await page.get_by_label("The old one").select_option("1")
    await page.get_by_label("Reason").fill("it leaked")
    await page.get_by_role("button", name="Rotate it").click()
    await shows(page, f"The new key of {said['channel_name']}, shown this once:")
    await stack.status(live["id"], "reconnecting")
    await page.get_by_role("link", name="Money").click()
    await shows(page, "All read zero")
    await page.get_by_role("button", name="Paid").click()
    await page.get_by_label("The bank's reference").fill("ref 1")
    await page.get_by_label("Reason").fill("monthly")
    await page.get_by_role("button", name="It is paid").click()
    payouts = page.get_by_role("heading", name="Payouts to decide")
    await expect(payouts.locator("+ div")).to_have_text("There is none.")
    assert wrong == []


async def test_what_runs_on_a_node_is_moved(desk: Desk) -> None:
    connection = await asyncpg.connect(desk.stack.env["DATABASE_URL"])
    await connection.execute(SPARE)
    await connection.close()
    page = await desk.sign_in(await desk.token("mover", "read", "admin"))
    wrong = complaints(page)
    await page.get_by_role("link", name="Nodes").click()
    row = page.locator("tr").filter(has_text="local")
    await row.get_by_role("button", name="Move all now").click()
    await shows(page, "encoders there are cut now and kept out")
    await page.get_by_label("Reason").fill("a new kernel")
    await page.locator("#yes").click()
    await expect(row).to_contain_text("closed")
    await row.get_by_role("button", name="Activate").click()
    await page.get_by_label("Reason").fill("it runs")
    await page.locator("#yes").click()
    await expect(row).to_contain_text("active")
    await desk.stack.command("nodes", "remove", "spare")
    entries = await desk.stack.command("audit", "export")
    assert "a new kernel" in entries
    assert wrong == []


async def test_every_page_opens(desk: Desk) -> None:
    """With nothing wrong in any of them, and people found and banned."""
    live = await desk.live()
    scopes = ("read", "moderate", "money", "admin")
    page = await desk.sign_in(await desk.token("visitor", *scopes))
    wrong = complaints(page)
    for name in ("Nodes", "Webhooks", "Money", "Settings", "People"):
        await page.get_by_role("link", name=name).click()
        await expect(page.get_by_role("heading", name=name)).to_be_visible()
        if name == "Nodes":
            await shows(page, "origin")
        assert await barriers(page) == []
    await page.get_by_label("Search").fill(live["username"])
    await page.get_by_role("link", name=live["username"]).click()
    await page.get_by_role("button", name="Ban").click()
    await page.get_by_label("Reason").fill("spam")
    await page.get_by_role("button", name=f"Ban {live['username']}").click()
    await expect(page.get_by_role("button", name="Lift the ban")).to_be_visible()
    await desk.stack.status(live["id"], "ended")
    await page.get_by_role("link", name="API").click()
    for name, route in (("Operators", "/v1/sessions/{id}/end"), ("Apps", "/api/watch")):
        await page.get_by_role("link", name=name).click()
        await expect(page.locator(f'[data-path="{route}"]')).to_be_visible()
    assert wrong == []


async def test_what_needs_somebody_says_where_it_stands_what_to_do(desk: Desk) -> None:
    """The last one here: nothing is live any more after it."""
    assert desk.stack.node is not None
    await desk.stack.node.kill()
    page = await desk.sign_in(await desk.token("night", "read"))
    section = page.get_by_role("region", name="Needs attention")
    needed = section.get_by_role("listitem").filter(has_text="local: does not answer")
    await expect(needed.get_by_role("link", name="local: does")).to_have_count(2)
    assert await barriers(page) == []
    async with page.expect_popup() as opened:
        await needed.get_by_role("link", name="What to do").click()
    runbook = await opened.value
    await expect(runbook.get_by_role("heading", name="NodeSilent")).to_be_in_viewport()
    assert await barriers(runbook) == []
