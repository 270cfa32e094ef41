"""The script that tries any server."""

import asyncio
import os
import sys
from pathlib import Path

from aiohttp import web

from control_plane.commands.seed_demo import seed_demo
from control_plane.wiring.services import services
from tests.support.api import running, settings
from tests.support.stack import free_ports


async def _check(url: str, *more: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "control_plane", "check-api", "--url", url, *more),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ,
    )
    out, _ = await process.communicate()
    return process.returncode, out.decode()


async def test_our_own_server_passes(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    wanted = settings(database_url, redis_url, api_key="k", media_folder=tmp_path)
    async with running(wanted) as app, services(wanted) as opened:
        await seed_demo(opened, tmp_path)

        for _ in range(2):
            code, text = await _check(app.base, "--api-key", "k")
            assert code == 0, text
            assert "Passed: 6\nFailed: 0\nAll tests passed!" in text
        code, text = await _check(app.base)
        assert code == 1
        assert "API key is missing" in text
        live = await app.raw("showLiveStreams", None, {"Api-Key": "k"})
        assert live["msg"] == []


async def test_an_empty_feed_is_said(database_url: str, redis_url: str) -> None:
    async with running(settings(database_url, redis_url)) as app:
        code, text = await _check(app.base)
        assert code == 1
        assert "Passed: 5\nFailed: 1" in text
        assert "[failed] Show Related Videos: code 201" in text


async def test_a_server_of_another_kind_fails_everything() -> None:
    async def other(_request: web.Request) -> web.Response:
        return web.json_response({"code": "200", "msg": {}})

    runner = web.AppRunner(web.Application())
    runner.app.router.add_post("/{any:.*}", other)
    await runner.setup()
    port = free_ports(1)[0]
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        code, text = await _check(f"http://127.0.0.1:{port}/")
    finally:
        await runner.cleanup()
    assert code == 1
    assert "Passed: 0\nFailed: 6" in text


async def test_no_server_is_said() -> None:
    code, text = await _check(f"http://127.0.0.1:{free_ports(1)[0]}")
    assert code == 1
    assert "Nothing answers at" in text
