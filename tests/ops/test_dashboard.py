"""The dashboard in a real browser, over a real broadcast."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.support.browser import chromium, complaints, needs_chromium, shows
from tests.support.stack import Json, Stack

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="session")]


PICTURED = "() => document.querySelector('.picture img')?.naturalWidth > 0"


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

    async def live(self, seconds: int = 600) -> Json:
        """Not for everybody's eyes, so that its picture is not either. ``seconds``:
        how long the encoder stays."""
        name = await self.stack.sign_in("ann")
        title = f"Coffee {self.stack.unique()}"
        live = await self.stack.go_live(name, title=title, policy="followers")
        await self.stack.publish(live["rtmp_url"], seconds=seconds)
        await self.stack.status(live["id"], "live")
        return live


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desk(
    tmp_path_factory: pytest.TempPathFactory,
    lasting_database_url: str,
    numbered_urls: Iterator[str],
) -> AsyncIterator[Desk]:
    folder, redis = tmp_path_factory.mktemp("desk"), next(numbered_urls)
    async with (
        Stack("sandbox", folder, lasting_database_url, redis) as stack,
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
    await expect(row).to_contain_text("H264")
    await page.wait_for_function(PICTURED)
    await page.get_by_label("Search").fill(live["title"].upper())
    await expect(page.locator("#rows li")).to_have_count(1)
    await row.get_by_role("link").click()
    await expect(page.get_by_role("heading", name=live["title"])).to_be_visible()
    await shows(page, "live.started")
    await expect(page.locator(".chart canvas")).to_have_count(2)
    await page.get_by_role("button", name="End").click()
    await shows(page, "It cannot go on; the host may begin another.")
    await page.get_by_label("Reason").fill("a rehearsal")
    await page.get_by_role("button", name="End it").click()
    await shows(page, "live.ended")
    await desk.stack.status(live["id"], "ended")
    await page.get_by_role("link", name="Audit").click()
    entry = page.locator("tr").filter(has_text=f"session/{live['id']}")
    await expect(entry).to_contain_text("operator:ann")
    await expect(entry).to_contain_text("a rehearsal")
    assert wrong == []


async def test_the_last_picture_stays_while_the_encoder_is_away(desk: Desk) -> None:
    live = await desk.live(seconds=6)
    await desk.stack.status(live["id"], "reconnecting")
    page = await desk.sign_in(await desk.token("late", "read"))
    await shows(page, "encoder away;")
    await page.wait_for_function(PICTURED)
    await desk.stack.command("kick", live["id"])


async def test_a_revoked_token_is_out_at_once(desk: Desk) -> None:
    page = await desk.sign_in(await desk.token("leaver", "read"))
    await shows(page, "leaver")
    await desk.stack.command("token", "revoke", "leaver")
    await shows(page, "Please sign in again.")


async def test_every_page_opens(desk: Desk) -> None:
    """With nothing wrong in any of them, and people found and banned."""
    live = await desk.live()
    scopes = ("read", "moderate", "admin")
    page = await desk.sign_in(await desk.token("visitor", *scopes))
    wrong = complaints(page)
    for name in ("Nodes", "Webhooks", "People"):
        await page.get_by_role("link", name=name).click()
        await expect(page.get_by_role("heading", name=name)).to_be_visible()
        if name == "Nodes":
            await shows(page, "origin")
    await page.get_by_label("Search").fill(live["username"])
    await page.get_by_role("link", name=live["username"]).click()
    await page.get_by_role("button", name="Ban").click()
    await page.get_by_label("Reason").fill("spam")
    await page.get_by_role("button", name=f"Ban {live['username']}").click()
    await expect(page.get_by_role("button", name="Lift the ban")).to_be_visible()
    await desk.stack.status(live["id"], "ended")
    assert wrong == []
