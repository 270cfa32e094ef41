"""How long until an encoder is out: from the call that ends a broadcast, revokes or
rotates its key or bans its host, to the end of the encoder at a real MediaMTX.

Needs MEDIAMTX_BIN. Several encoders run at the same time, and are cut one by one.
"""

import argparse
import asyncio
import contextlib
import statistics
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from bench.media_node import binary, encoder, node, somewhere
from bench.servers import Stores, service, stores
from control_plane.config.settings import Settings
from control_plane.live.model.bans import Banned
from control_plane.web import logs
from control_plane.wiring.services import Services, services

TOGETHER = 5  # encoders
PATIENCE = 60.0  # seconds until an encoder is live
AIM = 2.0  # seconds, p99
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Host:
    """Somebody who is live."""

    user_id: int
    token: str
    key_id: int
    session_id: str


class Plane:
    """The service as an app and an operator use it."""

    def __init__(self, http: aiohttp.ClientSession, port: int, own: Services) -> None:
        self._http = http
        self._base = f"http://127.0.0.1:{port}/api"
        self._own = own

    async def ask(self, name: str, body: Json, token: str = "") -> Any:
        headers = {"Auth-Token": token}
        url = f"{self._base}/{name}"
        async with self._http.post(url, json=body, headers=headers) as response:
            answer = await response.json()
        if answer["code"] != 200:
            raise SystemExit(f"{name}: {answer['msg']}")
        return answer["msg"]

    async def end(self, host: Host) -> None:
        body = {"id": host.session_id, "ended_at": "now"}
        await self.ask("liveStream", body, host.token)

    async def revoke(self, host: Host) -> None:
        await self.ask("revokeStreamKey", {"id": host.key_id}, host.token)

    async def rotate(self, host: Host) -> None:
        body = {"id": host.key_id, "at_once": 1}
        await self.ask("rotateStreamKey", body, host.token)

    async def ban(self, host: Host) -> None:
        await self._own.moderation.ban(Banned(host.user_id), "a benchmark")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=50, help="of each way")
    options = parser.parse_args()
    if not binary():
        print("cutting: skipped, MEDIAMTX_BIN names no MediaMTX")
        return
    logs.set_up("error", readable=True)
    asyncio.run(_run(options.count))


async def _run(count: int) -> None:
    where = somewhere()
    changes = {
        "CONTROL_PLANE_ENV": "development",
        "CONTROL_PLANE_API_PORT": str(where.api),
        "CONTROL_PLANE_RTMP_PORT": str(where.rtmp),
    }
    async with contextlib.AsyncExitStack() as stack:
        urls = await stack.enter_async_context(stores())
        ours = stack.enter_context(service(urls, **changes))
        stack.enter_context(node(where, ours.secret, ours.internal))
        settings = _settings(urls, ours.secret, where.api)
        own = await stack.enter_async_context(services(settings))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        plane = Plane(http, ours.public, own)
        ways: Mapping[str, Callable[[Host], Awaitable[None]]] = {
            "end": plane.end,
            "revoke": plane.revoke,
            "rotate at once": plane.rotate,
            "ban": plane.ban,
        }
        print(f"until the encoder is out, {count} times each (aim: p99 {AIM:g} s)")
        for name, way in ways.items():
            found: list[float] = []
            while len(found) < count:
                batch = min(TOGETHER, count - len(found))
                found += await _round(plane, way, batch)
            _report(name, sorted(found))


def _settings(urls: Stores, secret: str, api: int) -> Settings:
    return Settings.model_validate(
        {
            "DATABASE_URL": urls.database,
            "REDIS_URL": urls.redis,
            "secret": secret,
            "api_port": api,
        }
    )


async def _round(
    plane: Plane, way: Callable[[Host], Awaitable[None]], count: int
) -> list[float]:
    with contextlib.ExitStack() as stack:
        going = [_go_live(plane, stack) for _ in range(count)]
        live = await asyncio.gather(*going)
        return [await _cut(way, host, process) for host, process in live]


async def _go_live(
    plane: Plane, stack: contextlib.ExitStack
) -> "tuple[Host, subprocess.Popen[bytes]]":
    name = f"host{time.monotonic_ns()}"
    body = {"social": "google", "social_id": name, "username": name}
    user = (await plane.ask("registerUser", body))["User"]
    key = (await plane.ask("streamKeys", {}, user["auth_token"]))["StreamKey"]
    process = stack.enter_context(encoder(key["rtmp_url"]))
    async with asyncio.timeout(PATIENCE):
        session = await _live_on(plane, key["channel_name"])
    return Host(user["id"], user["auth_token"], key["id"], session), process


async def _live_on(plane: Plane, channel: str) -> str:
    """Its session, once there is one."""
    while True:
        for one in await plane.ask("showLiveStreams", {"size": 100}):
            if one["LiveStreaming"]["channel_name"] == channel:
                return str(one["LiveStreaming"]["id"])
        await asyncio.sleep(0.1)


async def _cut(
    way: Callable[[Host], Awaitable[None]],
    host: Host,
    process: "subprocess.Popen[bytes]",
) -> float:
    out = asyncio.create_task(asyncio.to_thread(process.wait, PATIENCE))
    begin = time.perf_counter()
    await way(host)
    await out
    return time.perf_counter() - begin


def _report(name: str, seconds: list[float]) -> None:
    p99 = seconds[min(len(seconds) - 1, int(len(seconds) * 0.99))]
    print(
        f"  {name:14} p50 {statistics.median(seconds):.3f} s   p99 {p99:.3f} s"
        f"   {p99 / AIM:.2f} of the aim"
    )


if __name__ == "__main__":
    main()
