"""What Caddy, with our file, writes down while nobody answers behind it."""

import os
from pathlib import Path

import aiohttp

from deploy.local.folder import CHECKOUT
from tests.deploy.front import HOST
from tests.deploy.tools import tool
from tests.support.ports import free_ports
from tests.support.process import Process
from tests.support.stack import until

SECRET = "aviewerstokenorakey"
PLACES = ("127.0.0.1:8080", "127.0.0.1:8888", "127.0.0.1:8889")


async def test_no_key_and_no_token_is_in_its_log(tmp_path: Path) -> None:
    caddy = tool("caddy")
    admin, port, *closed = free_ports(2 + len(PLACES))
    url = f"http://127.0.0.1:{port}"
    own = {"HOME": str(tmp_path), "CADDY_ADMIN": f"127.0.0.1:{admin}"}
    log, env = tmp_path / "caddy.log", os.environ | own
    words = ("run", "--adapter", "caddyfile", "--config")
    file = _moved(tmp_path, url, closed)
    process = await Process.start(log, caddy, *words, file, env=env)
    try:
        async with aiohttp.ClientSession() as http:
            await until(lambda: _answers(http, url))
            for path in ("live/12/index.m3u8", "live/12/whip", "watch/12"):
                await _asks(http, f"{url}/{path}")
    finally:
        await process.stop()
    text = log.read_text()
    assert "/live/12/index.m3u8" in text
    assert "/live/12/whip" in text
    assert SECRET not in text


def _moved(folder: Path, url: str, closed: list[int]) -> str:
    """Ours, here and without TLS, before ports where nobody listens."""
    text = (CHECKOUT / "deploy/Caddyfile").read_text("utf-8")
    there = [f"127.0.0.1:{port}" for port in closed]
    for old, new in zip((f"{HOST} {{", *PLACES), (f"{url} {{", *there), strict=True):
        assert old in text, old
        text = text.replace(old, new)
    (folder / "Caddyfile").write_text(text)
    return str(folder / "Caddyfile")


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url) as response:
            return response.status == 502
    except aiohttp.ClientError:
        return False


async def _asks(http: aiohttp.ClientSession, url: str) -> None:
    """With all that may say a secret."""
    headers = {"Referer": f"{url}?token={SECRET}", "Authorization": f"Bearer {SECRET}"}
    query = {"token": SECRET, "key": SECRET}
    async with http.get(url, params=query, headers=headers) as response:
        assert response.status == 502
