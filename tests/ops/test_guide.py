"""The documentation beside the dashboard."""

from html.parser import HTMLParser

import pytest

from deploy.local.folder import CHECKOUT
from tests.support.api import App

DOCS = CHECKOUT / "docs"


class Page(HTMLParser):
    """Its links and ids."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.links += [known.get("href") or ""] if tag == "a" else []
        self.links += [known.get("src") or ""] if tag == "img" else []
        self.ids |= {known["id"] or ""} if "id" in known else set()


async def _page(app: App, name: str) -> Page:
    async with app.http.get(f"{app.operators}/ops/guide/{name}") as response:
        assert response.status == 200, name
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        return Page(await response.text())


async def test_all_of_it_is_there_and_no_link_leads_nowhere(app: App) -> None:
    pages = {path.stem: await _page(app, path.stem) for path in DOCS.glob("*.md")}
    assert {"operations", "operators", "outages", "nodes"} <= pages.keys()
    for name, page in pages.items():
        for link in page.links:
            if link.startswith(("http://", "https://", "/ops")):
                continue
            to, _, place = link.partition("#")
            if to.endswith(".png"):
                async with app.http.get(f"{app.operators}/ops/guide/{to}") as found:
                    assert found.content_type == "image/png", (name, link)
                continue
            assert not place or place in pages[to or name].ids, (name, link)


async def test_it_begins_with_the_runbook(app: App) -> None:
    async with app.http.get(f"{app.operators}/ops/guide") as response:
        assert response.url.path == "/ops/guide/operations"
        assert 'id="nodelost"' in await response.text()


@pytest.mark.parametrize("name", ["none", "..%2Foperations", "operations.md"])
async def test_there_is_nothing_else(app: App, name: str) -> None:
    async with app.http.get(f"{app.operators}/ops/guide/{name}") as response:
        assert response.status == 404
