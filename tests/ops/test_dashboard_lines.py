"""The dashboard while the service, or the line to it, fails: what it says is true, and
what is pressed counts once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, Route, expect

from control_plane.base.database import Pool, open_pool
from control_plane.operators.model import SCOPES
from control_plane.operators.service import Tokens
from tests.support.api import APART_FROM_NODES, running, settings
from tests.support.browser import chromium, hides, needs_chromium, shows
from tests.support.client import App
from tests.support.money import new_session, new_user
from tests.support.servers import Numbered

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="session")]

TRYING = "Trying again…"
NOBODY_LOOKS = (
    "UPDATE nodes SET owner = 'nobody', lease_until = now() + interval '1 hour'"
)
Answer = Callable[[Route], Awaitable[None]]


@dataclass(frozen=True)
class Desk:
    """Of somebody who is signed in and may do everything."""

    app: App
    pool: Pool
    context: BrowserContext
    session_id: int

    @contextlib.asynccontextmanager
    async def opened(self, path: str = "") -> AsyncIterator[Page]:
        async with await self.context.new_page() as page:
            await page.clock.install()
            await page.goto(f"{self.app.operators}/ops{path}")
            await expect(page.locator("main h1")).to_be_visible()
            yield page


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desk(
    module_database_url: str, numbered_urls: Numbered
) -> AsyncIterator[Desk]:
    wanted = settings(module_database_url, numbered_urls.take())
    async with (
        open_pool(module_database_url) as pool,
        running(wanted, APART_FROM_NODES) as app,
        chromium() as browser,
        await browser.new_context() as context,
    ):
        session_id = await new_session(pool, await new_user(pool), "created")
        # Else it is lost after half a minute, and its session with it.
        await pool.execute(NOBODY_LOOKS)
        token = await Tokens(pool).create("ann", SCOPES, timedelta(days=1))
        headers = {"Origin": app.operators, "Idempotency-Key": "one"}
        url = f"{app.operators}/v1/session"
        signed = await context.request.post(url, data={"token": token}, headers=headers)
        assert signed.ok, await signed.text()
        yield Desk(app, pool, context, session_id)


async def away(route: Route) -> None:
    await route.fulfill(status=503, json={"detail": "The store is away."})


async def of_a_proxy(route: Route) -> None:
    await route.fulfill(status=502, body="<h1>Bad Gateway</h1>")


async def cut(route: Route) -> None:
    await route.abort()


async def silent(_route: Route) -> None:
    """No answer ever."""


@pytest.mark.parametrize("answer", [away, of_a_proxy, cut])
async def test_an_outage_is_said_until_it_is_over(desk: Desk, answer: Answer) -> None:
    async with desk.opened() as page:
        await page.route("**/v1/now", answer)
        await shows(page, TRYING)
        await expect(page.locator("#rows li")).to_have_count(1)
        await page.unroute("**/v1/now")
        await hides(page, "#away")
        await expect(page.locator("#rows li")).to_have_count(1)


async def test_a_line_that_goes_silent_is_given_up(desk: Desk) -> None:
    async with desk.opened() as page:
        async with page.expect_request("**/v1/now"):
            await page.route("**/v1/now", silent)
        await page.clock.run_for(15_000)
        await shows(page, TRYING)


async def test_a_reload_in_an_outage_is_no_sign_out(desk: Desk) -> None:
    async with desk.opened() as page:
        await page.route("**/v1/me", away)
        await page.reload()
        await shows(page, TRYING)
        await hides(page, "#sign-in")
        await page.unroute("**/v1/me")
        await expect(page.locator("#rows li")).to_have_count(1)


async def test_a_page_that_asks_once_asks_again_until_it_is_told(desk: Desk) -> None:
    async with desk.opened() as page:
        await page.route("**/v1/settings", cut)
        await page.get_by_role("link", name="Settings").click()
        await shows(page, TRYING)
        await page.unroute("**/v1/settings")
        await expect(page.get_by_role("table")).to_be_visible()
        await hides(page, "#away")


async def test_who_left_a_page_hears_no_more_of_it(desk: Desk) -> None:
    async with desk.opened("#/money") as page:
        await shows(page, "All read zero")
        await page.route("**/v1/ledger/check", silent)
        await page.get_by_role("button", name="Read it again").click()
        await page.get_by_role("link", name="Settings").click()
        await expect(page.get_by_role("table")).to_be_visible()
        assert not await page.locator("#away").is_visible()
        assert not await page.locator("#said").is_visible()


async def test_the_question_tells_the_newest_numbers(desk: Desk) -> None:
    async def grown(route: Route) -> None:
        told = await (await route.fetch()).json()
        told["session"]["viewers"] = 25_000
        await route.fulfill(json=told)

    async with desk.opened(f"#/sessions/{desk.session_id}") as page:
        await page.get_by_role("button", name="End").click()
        await shows(page, "ends for its 0 viewers")
        await page.keyboard.press("Escape")
        await page.route(f"**/v1/sessions/{desk.session_id}", grown)
        await shows(page, "25000 (at most")
        await page.get_by_role("button", name="End").click()
        await shows(page, "ends for its 25000 viewers")


async def test_of_a_part_that_was_refunded_the_rest_is_asked_about(desk: Desk) -> None:
    fan = await desk.app.sign_in("fan")
    await fan.ask("purchaseCoin", {"coin": 100, "transaction_id": "t1"})
    await desk.pool.execute("UPDATE purchases SET refunded_coins = 30")
    async with desk.opened("#/money") as page:
        await shows(page, "100 (30 refunded)")
        await page.get_by_role("button", name="Refund").click()
        await shows(page, f"The 70 coins are taken from user {fan.id};")


async def test_what_is_asked_while_the_one_before_closes_is_done(desk: Desk) -> None:
    """A browser says that it has closed a moment later."""
    async with desk.opened(f"#/sessions/{desk.session_id}") as page:
        await page.get_by_role("button", name="Ban the host").click()
        await page.evaluate("""() => {
            document.querySelector("#dialog").close();
            const all = [...document.querySelectorAll("button")];
            all.find((one) => one.textContent === "Kick").click();
        }""")
        await page.get_by_label("Reason").fill("a rehearsal")
        await page.route("**/kick", cut)
        async with page.expect_request("**/kick"):
            await page.get_by_role("button", name="Kick it").click()


async def test_a_late_answer_closes_no_other_question(desk: Desk) -> None:
    late = asyncio.Event()

    async def slow(route: Route) -> None:
        await late.wait()
        await route.fulfill(json={"out": True})

    async with desk.opened(f"#/sessions/{desk.session_id}") as page:
        await page.route("**/kick", slow)
        await page.get_by_role("button", name="Kick").click()
        await page.get_by_label("Reason").fill("a rehearsal")
        await page.get_by_role("button", name="Kick it").click()
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Ban the host").click()
        late.set()
        await shows(page, "It is kicked.")
        await expect(page.get_by_role("dialog")).to_be_visible()
        await expect(page.locator("#yes")).to_be_enabled()


async def test_what_is_pressed_again_for_want_of_an_answer_counts_once(
    desk: Desk,
) -> None:
    keys: list[str] = []

    async def lost(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        await route.abort()

    async with desk.opened(f"#/sessions/{desk.session_id}") as page:
        await page.route("**/kick", lost)
        await page.get_by_role("button", name="Kick").click()
        await page.get_by_label("Reason").fill("a rehearsal")
        await page.get_by_role("button", name="Kick it").click()
        await shows(page, "The service does not answer.")
        tried = len(keys)
        async with page.expect_request("**/kick"):
            await page.get_by_role("button", name="Kick it").click()
        await expect(page.locator("#yes")).to_be_enabled()
        assert len(keys) > tried
        assert len({*keys}) == 1


async def test_the_keyboard_stays_on_a_node_whose_numbers_move(desk: Desk) -> None:
    looks = 0

    async def moving(route: Route) -> None:
        nonlocal looks
        looks += 1
        told = await (await route.fetch()).json()
        for node in told["nodes"]:
            node["viewers"] = looks
        await route.fulfill(json=told)

    async with desk.opened() as page:
        await page.route("**/v1/nodes*", moving)
        await page.get_by_role("link", name="Nodes").click()
        drain = page.get_by_role("button", name="Drain").last
        await drain.focus()
        seen = looks
        async with page.expect_response("**/v1/nodes*"):
            pass
        row = page.locator("tbody tr").last
        await expect(row.locator("td").nth(6)).not_to_have_text(str(seen))
        await expect(drain).to_be_focused()


async def test_older_ones_are_read_once_however_often_they_are_asked_for(
    desk: Desk,
) -> None:
    """And all who are banned can be found."""
    await desk.pool.execute(
        "INSERT INTO users (username, banned_at)"
        " SELECT 'banned' || n, now() FROM generate_series(1, 51) n"
    )
    async with desk.opened("#/people") as page:
        await page.get_by_label("Only who is banned").check()
        await expect(page.locator("tbody tr")).to_have_count(50)
        await page.get_by_role("button", name="Older ones").dblclick()
        await shows(page, "banned1")
        await hides(page, "text=Older ones")
        await expect(page.locator("tbody tr")).to_have_count(51)


async def test_the_way_to_the_content_leads_away_from_no_page(desk: Desk) -> None:
    async with desk.opened() as page:
        await page.locator(".skip").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("#main")).to_be_focused()
        await page.reload()
        await expect(page.locator("#rows li")).to_have_count(1)
