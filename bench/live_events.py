"""A thousand readers of one busy session: how soon after its commit each has a gift,
against a bare aiohttp server that writes the same bytes to as many readers from memory.

Both are processes of their own, and the readers are bare sockets.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from bench.servers import free_port, running, service, stores
from control_plane.base.database import Pool, open_pool
from control_plane.base.schema import migrate
from control_plane.coins.model import ledger as rules
from control_plane.coins.model.gifts import GiftOrder
from control_plane.coins.service.gifts import Gifts
from control_plane.coins.store import ledger

HOST = "127.0.0.1"
ROSE = 1
COINS = 10**9
MARK = b"event: gift\n"
WITHIN = 120.0  # seconds


class Reader:
    """When the nth gift came."""

    def __init__(self) -> None:
        self.came: list[float] = []

    async def read(self, port: int, path: str, ready: asyncio.Event) -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        try:
            await reader.readuntil(b"retry: ")
            ready.set()
            while chunk := await reader.readuntil(b"\n\n"):
                if MARK in chunk:
                    self.came.append(time.perf_counter())
        finally:
            writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=1000)
    parser.add_argument("--gifts", type=int, default=60)
    parser.add_argument("--rate", type=float, default=10.0, help="gifts a second")
    asyncio.run(_bench(parser.parse_args()))


async def _bench(options: argparse.Namespace) -> None:
    os.environ["CONTROL_PLANE_EVENT_STREAMS_PER_ADDRESS"] = str(options.readers)
    async with stores() as urls:
        await migrate(urls.database)
        async with open_pool(urls.database) as pool:
            sender, session = await _user(pool, COINS), await _session(pool)
            gifts = Gifts(pool, share_percent=0, created_sessions=False)
            order = GiftOrder(sender, ROSE, 1, session_id=session)
            with service(urls) as at:
                path = f"/api/liveEvents/{session}"
                ours = await _measure(
                    options, at.public, path, lambda: gifts.send(order)
                )
    port = free_port()
    with running(
        [sys.executable, "-m", "bench.live_events", str(port)], port, os.environ
    ):
        bare = await _measure(options, port, "/", lambda: _poke(port))
    print(
        f"{options.readers} readers of one session, {options.rate:.0f} gifts a second"
    )
    for name, waits in (("control plane", ours), ("bare aiohttp", bare)):
        print(f"  {name:14} p50 {_quantile(waits, 0.5):6.1f} ms", end="")
        print(f"   p99 {_quantile(waits, 0.99):6.1f} ms")
    print(f"  ratio of the p99: {_quantile(ours, 0.99) / _quantile(bare, 0.99):.1f}")


async def _measure(
    options: argparse.Namespace,
    port: int,
    path: str,
    send: Callable[[], Awaitable[object]],
) -> list[float]:
    """Milliseconds from the commit of each gift to each reader, sorted."""
    readers = [Reader() for _ in range(options.readers)]
    ready = [asyncio.Event() for _ in readers]
    tasks = [
        asyncio.create_task(one.read(port, path, event))
        for one, event in zip(readers, ready, strict=True)
    ]
    async with asyncio.timeout(WITHIN):
        await asyncio.gather(*(event.wait() for event in ready))
        sent = []
        for number in range(options.gifts):
            begin = time.perf_counter()
            await send()
            sent.append(time.perf_counter())
            await asyncio.sleep(begin + 1 / options.rate - sent[-1])
            if number == options.gifts - 1:
                await _all_there(readers, options.gifts)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return sorted(
        1e3 * (came - at)
        for one in readers
        for came, at in zip(one.came, sent, strict=True)
    )


async def _all_there(readers: list[Reader], count: int) -> None:
    """Every reader has every gift."""
    while any(len(one.came) < count for one in readers):  # noqa: ASYNC110
        await asyncio.sleep(0.05)


def _quantile(waits: list[float], part: float) -> float:
    return waits[min(len(waits) - 1, int(len(waits) * part))]


async def _poke(port: int) -> None:
    """Makes the yardstick tell a gift."""
    _, writer = await asyncio.open_connection(HOST, port)
    writer.write(
        f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 0\r\n\r\n".encode()
    )
    await writer.drain()
    writer.close()


async def _user(pool: Pool, coins: int = 0) -> int:
    user_id = int(await pool.fetchval("INSERT INTO users DEFAULT VALUES RETURNING id"))
    if coins:
        async with pool.acquire() as connection:
            await ledger.transfer(connection, "bonus", rules.bonus(user_id, coins))
    return user_id


async def _session(pool: Pool) -> int:
    """Live, on a node that nobody asks."""
    user_id = await _user(pool)
    await pool.execute(
        "INSERT INTO nodes (name, api_url, rtmp_url, hls_url, webrtc_url, srt_url,"
        " rtsp_url, owner, lease_until) VALUES ('bench', '', '', '', '', '', '',"
        " 'nobody', now() + interval '1 day')"
    )
    return int(
        await pool.fetchval(
            "INSERT INTO live_streaming_sessions (user_id, path, node, status,"
            " longest, started_at, publisher_id)"
            " VALUES ($1, 'live/' || $1::int, 'bench', 'live', '1 h', now(), 'p')"
            " RETURNING id",
            user_id,
        )
    )


class Bare:
    """The yardstick."""

    def __init__(self) -> None:
        self._readers: set[web.StreamResponse] = set()
        self._frame = b"id: 12-7\n" + MARK + b"data: " + b"x" * 300 + b"\n\n"

    async def follow(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"retry: 2000\n\n")
        self._readers.add(response)
        try:
            await asyncio.Event().wait()
        finally:
            self._readers.discard(response)
        return response

    async def tell(self, _request: web.Request) -> web.Response:
        for one in list(self._readers):
            await one.write(self._frame)
        return web.Response()


def serve(port: int) -> None:
    bare, app = Bare(), web.Application()
    app.add_routes([web.get("/", bare.follow), web.post("/", bare.tell)])
    web.run_app(
        app,
        host=HOST,
        port=port,
        access_log=None,
        print=None,
        loop=asyncio.new_event_loop(),
        backlog=4096,
        shutdown_timeout=0.1,
    )


if __name__ == "__main__":
    if len(sys.argv) == 2 and sys.argv[1].isdigit():
        serve(int(sys.argv[1]))
    else:
        main()
