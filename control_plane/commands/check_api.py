"""``control-plane check-api``: ask a running server what the apps ask first."""

import asyncio
import contextlib
import json
from datetime import UTC, datetime, timedelta

import aiohttp
import click

from control_plane.base.texts import visible
from control_plane.commands.api_checks import (
    TOKEN,
    USER,
    Check,
    Failed,
    Fields,
    at,
    checks,
)
from control_plane.commands.unanswered import unanswered

TIMEOUT = aiohttp.ClientTimeout(total=15.0)
VIDEOS = 5


@click.command("check-api")
@click.option(
    "--url", default="http://127.0.0.1:8080", show_default=True, help="The server."
)
@click.option("--api-key", default="", help="Where the server wants one.")
@click.option(
    "--id-token",
    default="",
    help="A sign-in provider's ID token. A server in production wants one.",
)
@click.option(
    "--videos",
    default=VIDEOS,
    show_default=True,
    type=click.IntRange(0, 10),
    help="So many the feed must have at least, and each must open.",
)
def check_api(url: str, api_key: str, id_token: str, videos: int) -> None:
    """Call a server as the apps do, and print what passed.

    It registers a user, reads the profile, opens the feed and each video in it, starts
    a live stream, and reads the coin packages and the gifts. Every answer must be in
    the types that the Android and the iOS app decode.

    It cleans up: the live stream is ended, and the account that it made is deleted. An
    account that the ID token had before is left as it is.

    The exit code is 1 when anything failed or was left behind.
    """
    try:
        wrong = asyncio.run(_run(url.rstrip("/"), api_key, id_token, videos))
    except aiohttp.ClientError as error:
        raise unanswered(url, error) from None
    raise SystemExit(1 if wrong else 0)


async def _run(base: str, api_key: str, id_token: str, videos: int) -> bool:
    """Whether anything is wrong."""
    click.echo(f"Testing the API at {base}\n{'=' * 32}")
    headers = {"Content-Type": "application/json"}
    if api_key:
        headers["Api-Key"] = api_key
    wanted = checks(id_token, videos)
    async with (
        aiohttp.ClientSession(timeout=TIMEOUT, headers=headers) as http,
        aiohttp.ClientSession(timeout=TIMEOUT) as files,
    ):
        caller = Caller(http, files, base)
        await caller.look_for_account(id_token)
        try:
            passed = [await caller.passes(check) for check in wanted]
        finally:
            left = await caller.clean_up()
            said = f"Left behind: {left}." if left else "Nothing was left behind."
            click.echo(f"\n{said}")
    failed = passed.count(False)
    click.echo(f"Passed: {passed.count(True)}\nFailed: {failed}")
    click.echo("Some tests failed." if failed else "All tests passed!")
    return bool(failed or left)


class Caller:
    """Signed in once the first check has passed."""

    def __init__(
        self, http: aiohttp.ClientSession, files: aiohttp.ClientSession, base: str
    ) -> None:
        """``files``: for addresses that may lead anywhere; it holds no Api-Key."""
        self._http = http
        self._files = files
        self._base = base
        self._known = {TOKEN: "", USER: ""}
        self._existed = False  # the account, before
        self._made = False
        self._live = ""  # the id of the session that was opened

    async def look_for_account(self, id_token: str) -> None:
        if not id_token:
            return
        with contextlib.suppress(Failed, TimeoutError):
            await self._call("showUserDetail", {"auth_token": id_token})
            self._existed = True

    async def passes(self, check: Check) -> bool:
        try:
            msg = await self._call(check.endpoint, check.body, check.signed_in)
            self._remember(msg)
            check.looks_right(msg)
            await self._open(msg)
        except (Failed, TimeoutError, aiohttp.ClientPayloadError) as error:
            why = visible(str(error) or "no answer in time")
            click.echo(f"[failed] {check.title}: {why}")
            return False
        click.echo(f"[done]   {check.title} - PASSED")
        return True

    async def clean_up(self) -> str:
        """What could not be undone, in words."""
        left = []
        ended: Fields = {"id": self._live, "ended_at": "2026-01-01 11:00:00"}
        if self._live and not await self._done("liveStream", ended):
            left.append(f"the live stream {self._live}")
        if self._made and not await self._done("deleteUserAccount", {}):
            left.append(f"the user {self._known[USER]}")
        return visible(" and ".join(left))

    async def _done(self, endpoint: str, body: Fields) -> bool:
        try:
            await self._call(endpoint, body, signed_in=True)
        except (Failed, TimeoutError, aiohttp.ClientError):
            return False
        return True

    async def _call(
        self, endpoint: str, body: Fields, signed_in: bool = False
    ) -> object:
        headers = {"Auth-Token": self._known[TOKEN]} if signed_in else {}
        filled = {name: self._known.get(str(v), v) for name, v in body.items()}
        async with self._http.post(
            f"{self._base}/api/{endpoint}", data=json.dumps(filled), headers=headers
        ) as response:
            if response.status != 200:
                raise Failed(f"HTTP {response.status} instead of 200.")
            return _message(await response.read())

    def _remember(self, msg: object) -> None:
        if token := at(msg, "User", "auth_token"):
            self._known = {TOKEN: str(token), USER: str(at(msg, "User", "id"))}
            created = at(msg, "User", "created")
            self._made = not self._existed and _is_recent(created)
        # Who is live already is not cut.
        if at(msg, "LiveStreaming", "status") == "created":
            self._live = str(at(msg, "LiveStreaming", "id"))

    async def _open(self, msg: object) -> None:
        """A feed's videos and pictures must be there, not only their addresses."""
        for item in msg if isinstance(msg, list) else []:
            for name in ("video", "thum"):
                if address := at(item, "Video", name):
                    await self._opens(str(address))

    async def _opens(self, address: str) -> None:
        part = {"Range": "bytes=0-99"}
        try:
            async with self._files.get(address, headers=part) as response:
                if response.status not in (200, 206):
                    raise Failed(f"{address} answers HTTP {response.status}.")
        except (aiohttp.ClientError, ValueError):
            raise Failed(f"{address} cannot be opened.") from None


def _is_recent(created: object) -> bool:
    """What is older was there before, whatever the server says about it."""
    try:
        then = datetime.strptime(f"{created} +0000", "%Y-%m-%d %H:%M:%S %z")
    except ValueError:
        return False
    return abs(datetime.now(UTC) - then) < timedelta(minutes=5)


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
