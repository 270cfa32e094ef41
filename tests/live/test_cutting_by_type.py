"""Viewers of every protocol lose the picture with their right. RTSP, SRT and WebRTC are
served by a real MediaMTX only."""

import asyncio
from functools import partial
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.support.browser import chromium, needs_chromium
from tests.support.client import Account
from tests.support.stack import Json, Stack, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

#: With ffmpeg's options for each.
READERS = {"rtsp": ["-rtsp_transport", "tcp"], "srt": []}
PAUSE = 1.0  # seconds in which a picture that goes on would bring bytes
#: It has no other address, and a browser leaves this one out otherwise.
ON_LOOPBACK = "--allow-loopback-in-peer-connection"


@pytest.fixture(autouse=True)
def real_only(stack: Stack) -> None:
    if stack.kind != "mediamtx":
        pytest.skip("the sandbox node serves RTMP and HLS only")


class Show:
    """Ann is live, for those with a token."""

    def __init__(self, stack: Stack, host: Account, live: Json) -> None:
        self.stack = stack
        self.host = host
        self.id = live["id"]
        self.path = live["path"]

    async def admit(self) -> Json:
        watch: Json = (await self.stack.ask("watch", {"id": self.id}))["Watch"]
        return watch

    async def deny(self, viewer: str) -> None:
        body = {"id": self.id, "viewer": viewer}
        await self.host.ask("denyViewer", body)

    def address(self, protocol: str, token: str) -> str:
        ports = self.stack.ports
        if protocol == "rtsp":
            return f"rtsp://127.0.0.1:{ports['RTSP']}/{self.path}?token={token}"
        if protocol == "srt":
            streamid = f"read:{self.path}:::token={token}"
            return f"srt://127.0.0.1:{ports['SRT']}?streamid={streamid}"
        return f"http://127.0.0.1:{ports['WEBRTC']}/{self.path}?token={token}"


async def _show(stack: Stack) -> Show:
    host = await stack.app.sign_in(f"ann{stack.unique()}")
    live = await stack.go_live(host.token, policy="token")
    await stack.publish(live["rtmp_url"])
    await stack.status(live["id"], "live")
    return Show(stack, host, live)


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


async def _grows(file: Path) -> None:
    before = _size(file)

    async def more() -> bool:
        return _size(file) > before

    await until(more)


async def _stays(file: Path) -> None:
    """Until it does."""

    async def no_more() -> bool:
        before = _size(file)
        await asyncio.sleep(2 * PAUSE)  # a segment, and another
        return _size(file) == before

    await until(no_more)


@pytest.mark.parametrize("protocol", READERS)
async def test_who_is_denied_gets_no_more_bytes(
    stack: Stack, protocol: str, tmp_path: Path
) -> None:
    show, options = await _show(stack), READERS[protocol]
    denied, other = await show.admit(), await show.admit()
    files = [tmp_path / name for name in ("denied.ts", "other.ts", "again.ts")]
    saving = [
        await stack.save(show.address(protocol, one["token"]), file, *options)
        for one, file in zip((denied, other), files, strict=False)
    ]
    for file in files[:2]:
        await _grows(file)
    await show.deny(denied["viewer"])
    await saving[0].ended()  # the node hung up
    again = await stack.save(
        show.address(protocol, denied["token"]), files[2], *options
    )
    assert await again.ended() != 0
    assert _size(files[2]) == 0
    await _grows(files[1])
    assert saving[1].running


def _with_password(show: Show, protocol: str, token: str) -> str:
    """No list shows it."""
    ports = show.stack.ports
    if protocol == "rtsp":
        return f"rtsp://viewer:{token}@127.0.0.1:{ports['RTSP']}/{show.path}"
    streamid = f"read:{show.path}:viewer:{token}"
    return f"srt://127.0.0.1:{ports['SRT']}?streamid={streamid}"


@pytest.mark.parametrize("protocol", READERS)
async def test_a_token_that_came_as_a_password_ends_too(
    stack: Stack, protocol: str, tmp_path: Path
) -> None:
    show, options = await _show(stack), READERS[protocol]
    bob = await stack.app.sign_in(f"bob{stack.unique()}")
    follow = {"sender_id": bob.id, "receiver_id": show.host.id}
    await bob.ask("followUser", follow)
    await show.host.ask("setLivePolicy", {"id": show.id, "policy": "followers"})
    token = (await bob.ask("watch", {"id": show.id}))["Watch"]["token"]
    file = tmp_path / "bob.ts"
    saving = await stack.save(_with_password(show, protocol, token), file, *options)
    await _grows(file)
    await bob.ask("followUser", follow)
    await saving.ended()  # the node hung up


async def test_a_token_that_came_in_a_header_ends_too(
    stack: Stack, tmp_path: Path
) -> None:
    """As native players send it over HLS."""
    show = await _show(stack)
    denied = await show.admit()
    file, bearer = tmp_path / "denied.ts", f"Authorization: Bearer {denied['token']}"
    url = f"http://127.0.0.1:{stack.ports['HLS']}/{show.path}/index.m3u8"

    async def master() -> int:
        headers = {"Authorization": f"Bearer {denied['token']}"}
        async with stack.http.get(url, headers=headers) as response:
            return response.status

    async def opened() -> bool:
        return await master() == 200

    await until(opened)
    await stack.save(url, file, "-headers", f"{bearer}\r\n")
    await _grows(file)
    await stack.viewers(show.id, 1)
    await show.deny(denied["viewer"])
    await _stays(file)
    assert await master() == 401


async def _frames(page: Page) -> int:
    return int(
        await page.evaluate(
            "document.querySelector('video')"
            "?.getVideoPlaybackQuality().totalVideoFrames ?? 0"
        )
    )


async def _moves(page: Page) -> bool:
    before = await _frames(page)
    await asyncio.sleep(PAUSE)
    return await _frames(page) > before


async def _rests(page: Page) -> bool:
    return not await _moves(page)


@needs_chromium
async def test_who_is_denied_sees_no_more_over_webrtc(stack: Stack) -> None:
    """On MediaMTX's own page."""
    show = await _show(stack)
    denied, other = await show.admit(), await show.admit()
    async with chromium(ON_LOOPBACK) as browser:
        pages = []
        for one in (denied, other):
            page = await browser.new_page()
            await page.goto(show.address("webrtc", one["token"]))
            await until(partial(_moves, page))
            pages.append(page)
        await show.deny(denied["viewer"])
        await until(partial(_rests, pages[0]))
        async with stack.http.get(pages[0].url) as again:
            assert again.status == 401
        await until(partial(_moves, pages[1]))
