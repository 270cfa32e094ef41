"""``control-plane check-api``: ask a running server what the apps ask first."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import UnionType

import aiohttp
import click

TIMEOUT = aiohttp.ClientTimeout(total=15.0)
#: Stand for what signing in gave.
TOKEN, USER = "<token>", "<user>"
Fields = Mapping[str, object]


class Failed(Exception):
    """What is wrong with an answer, in a sentence."""


@dataclass(frozen=True)
class Check:
    title: str
    endpoint: str
    body: Fields
    looks_right: Callable[[object], None]
    signed_in: bool = False


@click.command("check-api")
@click.option(
    "--url", default="http://127.0.0.1:8080", show_default=True, help="The server."
)
@click.option("--api-key", default="", help="Where the server wants one.")
@click.option(
    "--id-token", default="", help="A provider's ID token, where the server wants one."
)
def check_api(url: str, api_key: str, id_token: str) -> None:
    """Register, profile, feed, live stream, coin packages and gifts: call each as the
    apps do, and print what passed. Exit code 1 when anything failed."""
    try:
        failed = asyncio.run(_run(url.rstrip("/"), api_key, id_token))
    except aiohttp.ClientConnectionError:
        raise click.ClickException(f"Nothing answers at {url}.") from None
    raise SystemExit(1 if failed else 0)


async def _run(base: str, api_key: str, id_token: str) -> int:
    """How many failed."""
    click.echo(f"Testing the API at {base}\n{'=' * 32}")
    headers = {"Content-Type": "application/json"}
    if api_key:
        headers["Api-Key"] = api_key
    failed = 0
    checks = _checks(id_token)
    async with aiohttp.ClientSession(timeout=TIMEOUT, headers=headers) as http:
        caller = Caller(http, base)
        for check in checks:
            failed += not await caller.passes(check)
    click.echo(f"\nPassed: {len(checks) - failed}\nFailed: {failed}")
    click.echo("Some tests failed." if failed else "All tests passed!")
    return failed


class Caller:
    """Signed in once the first check has passed."""

    def __init__(self, http: aiohttp.ClientSession, base: str) -> None:
        self._http = http
        self._base = base
        self._known = {TOKEN: "", USER: ""}

    async def passes(self, check: Check) -> bool:
        try:
            msg = await self._call(check.endpoint, check.body, check.signed_in)
            check.looks_right(msg)
            self._remember(msg)
            await self._end(msg)
        except (Failed, TimeoutError) as error:
            click.echo(f"[failed] {check.title}: {error or 'no answer in time'}")
            return False
        click.echo(f"[done]   {check.title} - PASSED")
        return True

    async def _call(self, endpoint: str, body: Fields, signed_in: bool) -> object:
        headers = {"Auth-Token": self._known[TOKEN]} if signed_in else {}
        filled = {name: self._known.get(str(v), v) for name, v in body.items()}
        async with self._http.post(
            f"{self._base}/api/{endpoint}", data=json.dumps(filled), headers=headers
        ) as response:
            if response.status != 200:
                raise Failed(f"HTTP {response.status} instead of 200.")
            return _message(await response.read())

    def _remember(self, msg: object) -> None:
        if token := _at(msg, "User", "auth_token"):
            self._known = {TOKEN: str(token), USER: str(_at(msg, "User", "id"))}

    async def _end(self, msg: object) -> None:
        """The test leaves nothing behind, and cuts nobody who is live already."""
        if _at(msg, "LiveStreaming", "status") == "created":
            live = _at(msg, "LiveStreaming", "id")
            body = {"id": live, "ended_at": "2026-01-01 11:00:00"}
            await self._call("liveStream", body, signed_in=True)


def _checks(id_token: str) -> list[Check]:
    """The first and the third body are the project's documented curl calls; the
    others are what the Android app sends."""
    return [
        Check("Register User", "registerUser", _sign_up(id_token), _is_account),
        Check(
            "Show User Detail",
            "showUserDetail",
            {"auth_token": TOKEN},
            _is_account,
            signed_in=True,
        ),
        Check(
            "Show Related Videos",
            "showRelatedVideos",
            {"user_id": "1", "device_id": "device_123", "starting_point": 0},
            _is_feed,
        ),
        Check(
            "Start Live Stream",
            "liveStream",
            {"user_id": USER, "started_at": "2026-01-01 10:00:00"},
            _is_live,
            signed_in=True,
        ),
        Check("Show Coin Packages", "showCoinWorth", {}, _is_worth),
        Check("Show Gifts", "showGifts", {}, _is_gifts),
    ]


def _sign_up(id_token: str) -> Fields:
    if id_token:
        return {"auth_token": id_token, "device_token": "check-api"}
    return {
        "username": "testuser",
        "first_name": "Test",
        "email": "test@example.com",
        "social_id": "google_123",
        "social": "google",
    }


def _message(raw: bytes) -> object:
    try:
        answer = json.loads(raw)
    except ValueError:
        raise Failed("the answer is not JSON.") from None
    if not isinstance(answer, dict) or not {"code", "msg"} <= set(answer):
        raise Failed('the answer has no "code" and "msg".')
    if type(answer["code"]) is not int:
        raise Failed('"code" is no integer.')
    if answer["code"] != 200:
        raise Failed(f"code {answer['code']}: {answer['msg']}")
    msg: object = answer["msg"]
    return msg


def _is_account(msg: object) -> None:
    _want(msg, int, "User", "id")
    _want(msg, int, "User", "wallet")
    if not _want(msg, str, "User", "auth_token"):
        raise Failed("User.auth_token is empty.")
    _want(msg, dict, "PushNotification")
    _want(msg, dict, "PrivacySetting")


def _is_feed(msg: object) -> None:
    if not isinstance(msg, list) or not msg:
        raise Failed("there are no videos.")
    for item in msg:
        for name in ("video", "thum", "thumbnail", "allow_comments"):
            _want(item, str, "Video", name)
        if _want(item, int, "Video", "like") not in (0, 1):
            raise Failed("Video.like is neither 0 nor 1.")
        _want(item, int, "Video", "like_count")
        _want(item, int, "User", "id")


def _is_live(msg: object) -> None:
    for name in ("id", "started_at", "status", "channel_name"):
        _want(msg, str, "LiveStreaming", name)
    if not str(_want(msg, str, "LiveStreaming", "rtmp_url")).startswith("rtmp"):
        raise Failed("LiveStreaming.rtmp_url is no RTMP address.")
    if not str(_want(msg, str, "LiveStreaming", "playback_url")).startswith("http"):
        raise Failed("LiveStreaming.playback_url is no HTTP address.")


def _is_worth(msg: object) -> None:
    _want(msg, int | float, "CoinWorth", "price")
    packages = _want(msg, list, "CoinPackages")
    if not packages:
        raise Failed("there are no coin packages.")


def _is_gifts(msg: object) -> None:
    if not isinstance(msg, list) or not msg:
        raise Failed("there are no gifts.")
    for line in msg:
        _want(line, int, "Gift", "id")
        _want(line, int, "Gift", "coin")
        _want(line, str, "Gift", "title")


def _want(value: object, kind: type | UnionType, *names: str) -> object:
    """What is there; Failed when it is missing or of another type."""
    found = _at(value, *names)
    if not isinstance(found, kind) or isinstance(found, bool):
        raise Failed(f"{'.'.join(names)} is {found!r}.")
    return found


def _at(value: object, *names: str) -> object:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value
