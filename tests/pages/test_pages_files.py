"""The pages themselves: what is sent, how it is cached, where it may connect."""

import gzip
import re
from pathlib import Path

import aiohttp
import pytest
from structlog.testing import capture_logs

from control_plane.pages.assets import STATIC
from control_plane.web.policy import policy, source
from tests.support.pages import Site, Updates, pages

PLAIN = {"Accept-Encoding": "identity"}
GZIP = {"Accept-Encoding": "gzip, deflate"}


async def get(
    site: Site, path: str, headers: dict[str, str] | None = None
) -> tuple[aiohttp.ClientResponse, bytes]:
    async with (
        aiohttp.ClientSession(auto_decompress=False) as http,
        http.get(site.url + path, headers=PLAIN | (headers or {})) as response,
    ):
        return response, await response.read()


@pytest.mark.parametrize("path", ["/", "/watch/12", "/watch/ann"])
async def test_a_page_is_served_under_its_policy(path: str) -> None:
    async with pages() as site:
        site.updates.urls = ["http://{host}:8888", "https://cdn.example.com/hls"]
        response, body = await get(site, path)
        assert response.status == 200
        assert response.content_type == "text/html"
        assert body.startswith(b"<!doctype html>")
        csp = response.headers["Content-Security-Policy"]
        nodes = "http://127.0.0.1:8888 https://cdn.example.com"
        assert f"connect-src 'self' {nodes}" in csp
        assert f"media-src 'self' blob: {nodes}" in csp
        assert "script-src 'self';" in csp


async def test_what_a_page_names_is_there() -> None:
    async with pages() as site:
        for page in ("/", "/watch/12"):
            _, body = await get(site, page)
            for named in re.findall(r'(?:src|href)="(/assets/[^"]+)"', body.decode()):
                response, _ = await get(site, named)
                assert response.status == 200, named


async def test_no_file_names_another_host() -> None:
    allowed = {"http://www.w3.org/2000/svg"}
    for path in STATIC.iterdir():
        found = set(re.findall(r"https?://[\w./-]+", path.read_text("utf-8")))
        assert found <= allowed, path.name


async def test_a_file_is_sent_again_only_when_it_changed() -> None:
    async with pages() as site:
        first, _ = await get(site, "/assets/watch.js")
        assert first.headers["Cache-Control"] == "no-cache"
        again, nothing = await get(
            site, "/assets/watch.js", {"If-None-Match": first.headers["ETag"]}
        )
        assert (again.status, nothing) == (304, b"")
        other, _ = await get(site, "/assets/watch.js", {"If-None-Match": 'W/"old"'})
        assert other.status == 200


async def test_a_file_is_compressed_for_who_takes_it() -> None:
    async with pages() as site:
        plain, whole = await get(site, "/assets/list.js")
        assert "Content-Encoding" not in plain.headers
        assert whole == (STATIC / "list.js").read_bytes()
        packed, less = await get(site, "/assets/list.js", GZIP)
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(less) == whole


@pytest.mark.parametrize(
    "path", ["/assets/none.js", "/assets/watch.html", "/watch/a%2Fb", "/watch/"]
)
async def test_what_is_not_there_is_404(path: str) -> None:
    async with pages() as site:
        response, _ = await get(site, path)
        assert response.status == 404


async def test_a_missing_player_is_logged_and_said(tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with pages(player=tmp_path / "hls.min.mjs") as site:
            _, body = await get(site, "/watch/12")
    assert '<meta name="player" content="">' in body.decode()
    assert [log["log_level"] for log in logs] == ["error"]
    assert "npm ci" in logs[0]["event"]


async def test_an_installed_player_is_served(tmp_path: Path) -> None:
    player = tmp_path / "hls.min.mjs"
    player.write_text("export default null;\n")
    async with pages(player=player) as site:
        _, body = await get(site, "/watch/12")
        assert '<meta name="player" content="/assets/hls.mjs">' in body.decode()
        response, script = await get(site, "/assets/hls.mjs")
        assert response.content_type == "text/javascript"
        assert script == player.read_bytes()


async def test_a_page_loads_while_the_nodes_are_unknown() -> None:
    class Broken(Updates):
        async def hls_urls(self, host: str) -> list[str]:
            raise ConnectionError("no database")

    async with pages(updates=Broken()) as site:
        response, _ = await get(site, "/watch/12")
        assert response.status == 200
        assert "connect-src 'self';" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://media.example.com:8888", "http://media.example.com:8888"),
        ("https://media.example.com/hls/", "https://media.example.com"),
        ("http://[2001:db8::1]:8888", "http:"),
        ("http://a;script-src *:8888", ""),
        ("http://a 'unsafe-inline':8888", ""),
        ("javascript:alert(1)", ""),
        ("", ""),
    ],
)
def test_only_an_origin_enters_the_policy(url: str, expected: str) -> None:
    assert source(url) == expected


def test_a_node_is_named_once() -> None:
    assert policy(["http://a:1", "http://a:1/x"]).count("http://a:1") == 2
