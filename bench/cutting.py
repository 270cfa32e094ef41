"""How long until somebody is out: from the call that ends a broadcast, revokes or
rotates its key or bans its host, to the end of the encoder; and from the call that
denies a viewer to the last bytes that it gets over HLS.

On the real MediaMTX that MEDIAMTX_BIN names, else on the sandbox node. Several
encoders run at the same time, and are cut one by one.
"""

import argparse
import asyncio
import contextlib
import statistics
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import urljoin

import aiohttp

from bench.media_node import binary, encoder, node, somewhere, version
from bench.servers import Stores, service, stores
from control_plane.config.settings import Settings
from control_plane.live.model.bans import Banned
from control_plane.web import logs
from control_plane.wiring.services import Services, services

TOGETHER = 5  # encoders
PATIENCE = 60.0  # seconds until an encoder is live
AIM = 2.0  # seconds, p99
NO_NEW_BYTES = 5.0  # seconds, for viewers
OUT_AFTER = 1.0  # seconds in which a viewer gets nothing
Json = dict[str, Any]
Process: TypeAlias = "subprocess.Popen[bytes]"
Cut: TypeAlias = "Callable[[Host, Process], Awaitable[float]]"


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

    async def watch(self, host: Host) -> Any:
        """With a token, which is needed from here on."""
        body = {"id": host.session_id, "policy": "token"}
        await self.ask("setLivePolicy", body, host.token)
        return (await self.ask("watch", {"id": host.session_id}))["Watch"]

    async def opened(self, url: str) -> str:
        """The media playlist, once there is one."""
        while True:
            async with self._http.get(url) as response:
                text, found = await response.text(), str(response.url)
                if response.status == 200:
                    lines = [one for one in text.splitlines() if one[:1] != "#"]
                    return urljoin(found, next(filter(None, lines)))
            await asyncio.sleep(0.1)

    async def last_bytes(self, playlist: str) -> float:
        """When it was answered last, on the benchmark's clock."""
        last = time.perf_counter()
        while (now := time.perf_counter()) < last + OUT_AFTER:
            async with self._http.get(playlist) as response:
                last = now if response.status == 200 else last
            await asyncio.sleep(0.02)
        return last

    async def ban(self, host: Host) -> None:
        await self._own.moderation.ban(Banned(host.user_id), "a benchmark")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=50, help="of each way")
    options = parser.parse_args()
    logs.set_up("error", readable=True)
    asyncio.run(_run(options.count))


async def _run(count: int) -> None:
    where, of = somewhere(), await version()
    changes = {
        "CONTROL_PLANE_ENV": "development",
        "CONTROL_PLANE_API_PORT": str(where.api),
        "CONTROL_PLANE_RTMP_PORT": str(where.rtmp),
        "CONTROL_PLANE_HLS_PORT": str(where.hls),
        "CONTROL_PLANE_NODE_SANDBOX": str(not binary()),
    }
    async with contextlib.AsyncExitStack() as stack:
        urls = await stack.enter_async_context(stores())
        ours = stack.enter_context(service(urls, **changes))
        stack.enter_context(node(where, ours.secret, ours.internal, version=of))
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
        where_to = f"a real {of}" if binary() else "the sandbox node"
        print(f"until the encoder is out, {count} times each, on {where_to}")
        for name, way in ways.items():
            cut = partial(_cut, way)
            _report(name, await _times(plane, cut, count), AIM)
        print("until a viewer over HLS gets no new bytes")
        _report("deny", await _times(plane, partial(_deny, plane), count), NO_NEW_BYTES)


def _settings(urls: Stores, secret: str, api: int) -> Settings:
    return Settings.model_validate(
        {
            "DATABASE_URL": urls.database,
            "REDIS_URL": urls.redis,
            "secret": secret,
            "api_port": api,
        }
    )


async def _times(plane: Plane, cut: Cut, count: int) -> list[float]:
    found: list[float] = []
    while len(found) < count:
        found += await _round(plane, cut, min(TOGETHER, count - len(found)))
    return sorted(found)


async def _round(plane: Plane, cut: Cut, count: int) -> list[float]:
    with contextlib.ExitStack() as stack:
        going = [_go_live(plane, stack) for _ in range(count)]
        live = await asyncio.gather(*going)
        return [await cut(host, process) for host, process in live]


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
    """Whoever asked may wait longer: until viewers are cut too."""
    out = asyncio.create_task(asyncio.to_thread(_ended, process))
    begin = time.perf_counter()
    await way(host)
    return await out - begin


def _ended(process: Process) -> float:
    process.wait(PATIENCE)
    return time.perf_counter()


async def _deny(plane: Plane, host: Host, _: object) -> float:
    watch = await plane.watch(host)
    playlist = await plane.opened(watch["playback_url"])
    getting = asyncio.create_task(plane.last_bytes(playlist))
    begin = time.perf_counter()
    body = {"id": host.session_id, "viewer": watch["viewer"]}
    await plane.ask("denyViewer", body, host.token)
    return max(0.0, await getting - begin)


def _report(name: str, seconds: list[float], aim: float) -> None:
    p99 = seconds[min(len(seconds) - 1, int(len(seconds) * 0.99))]
    print(
        f"  {name:14} p50 {statistics.median(seconds):.3f} s   p99 {p99:.3f} s"
        f"   {p99 / aim:.2f} of the aim ({aim:g} s)"
    )


if __name__ == "__main__":
    main()
