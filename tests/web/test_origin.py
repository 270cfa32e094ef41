"""What the URLs in answers begin with, behind proxies and without."""

import pytest

from control_plane.config.settings import Settings
from tests.support.api import API, App, running

NOTHING: dict[str, str] = {}


async def picture(app: App, headers: dict[str, str]) -> str:
    answer = await app.raw("showGifts", b"{}", headers)
    return str(answer["msg"][0]["Gift"]["image"])


async def playback(app: App, headers: dict[str, str]) -> str:
    ann = await app.sign_in("ann")
    answer = await app.raw("liveStream", b"{}", {"Auth-Token": ann.token, **headers})
    return str(answer["msg"]["LiveStreaming"]["playback_url"])


@pytest.mark.parametrize(
    ("headers", "base", "host"),
    [
        (
            {"X-Forwarded-Host": "api.example.com", "X-Forwarded-Proto": "https"},
            "https://api.example.com",
            "api.example.com",
        ),
        (
            {"Forwarded": 'for=192.0.2.1;Proto=https;host="api.example.com:8443"'},
            "https://api.example.com:8443",
            "api.example.com",
        ),
        (
            {"X-Forwarded-Host": "forged.example.com, api.example.com"},
            "http://api.example.com",
            "api.example.com",
        ),
        (
            {"X-Forwarded-Host": "[2001:db8::1]:80"},
            "http://[2001:db8::1]:80",
            "[2001:db8::1]",
        ),
        ({"Host": "phone.local:8080"}, "http://phone.local:8080", "phone.local"),
        (
            {"Host": "a.example.com", "X-Forwarded-Host": 'b"><script>'},
            "http://a.example.com",
            "a.example.com",
        ),
        (
            {"Host": "a.example.com", "X-Forwarded-Proto": "javascript"},
            "http://a.example.com",
            "a.example.com",
        ),
        ({"Host": "[nonsense"}, "http://localhost", "localhost"),
    ],
)
async def test_the_proxys_words_become_the_address(
    app: App, headers: dict[str, str], base: str, host: str
) -> None:
    assert await picture(app, headers) == f"{base}/api/gifts/rose.png"
    assert (await playback(app, headers)).startswith(f"http://{host}:8888/live/")


async def test_a_strangers_words_do_not(wanted: Settings) -> None:
    forged = {"X-Forwarded-Host": "evil.example.com", "X-Forwarded-Proto": "https"}
    forged["Forwarded"] = "host=evil.example.com;proto=https"
    async with running(wanted.model_copy(update={"trusted_proxies": ""}), API) as app:
        assert await picture(app, forged) == f"{app.base}/api/gifts/rose.png"
        assert "127.0.0.1:8888" in await playback(app, forged)


async def test_the_setting_is_the_last_word(wanted: Settings) -> None:
    settings = {"public_url": "https://api.example.com/v1/"}
    async with running(wanted.model_copy(update=settings), API) as app:
        given = {"X-Forwarded-Host": "other.example.com"}
        url = await picture(app, given)
        assert url == "https://api.example.com/v1/api/gifts/rose.png"
        assert "//api.example.com:8888/" in await playback(app, given)


async def test_the_pages_may_connect_to_the_address_that_they_came_from(
    app: App,
) -> None:
    headers = {"X-Forwarded-Host": "api.example.com"}
    async with app.http.get(f"{app.base}/", headers=headers) as response:
        policy = response.headers["Content-Security-Policy"]
    assert "connect-src 'self' http://api.example.com:8888" in policy
