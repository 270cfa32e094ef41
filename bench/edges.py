"""Viewers at caches: what the question about each of them costs, and its counting.

Drives the listener's own code, as 200 caches would that ask once in ten seconds for
each of a million viewers, and prints how many such questions one process answers in a
second of CPU, what writing them down costs it and Redis, and how much memory it takes.
"""

import argparse
import asyncio
import base64
import time
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import uvloop

from bench.nodes import live_sessions
from bench.rounds import settings
from bench.servers import stores
from control_plane.base.schema import migrate
from control_plane.base.tokens import ViewerToken, sign_viewer
from control_plane.live.model.edges import ASKS_AFTER
from control_plane.live.service import hints
from control_plane.live.service.grants import Grants
from control_plane.live.service.permissions import Permissions
from control_plane.live.store import sessions as session_store
from control_plane.roles.auth import gate
from control_plane.wiring.services import Services, services
from hooks.connection import finish
from hooks.listener import Listener
from hooks.messages import Answer, Request

# One process takes longer than ten seconds for all of them.
vars(hints)["BEAT"] = 3600.0
TOGETHER = 20_000  # questions between two times that they are written down
PER = 100_000  # viewers, for what is printed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=1_000_000)
    parser.add_argument("--edges", type=int, default=200)
    parser.add_argument("--sessions", type=int, default=1_000)
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_bench(options))


async def _bench(options: argparse.Namespace) -> None:
    async with stores() as urls:
        await migrate(urls.database)
        wanted = settings(urls).model_copy(update={"playback": "token"})
        async with services(wanted) as opened:
            ids = (await live_sessions(opened.pool, 1, options.sessions))["n0"]
            await _add_caches(opened, options.edges)
            permissions = Permissions(opened.reserved, urls.database)
            listener = gate(opened, permissions, Grants(opened.reserved))
            for session_id in ids:
                await permissions.lookup(f"live/{session_id}")
            listener.know_nodes(await opened.nodes.listing())
            asking = Asking(opened, options.viewers, options.edges, ids)
            await _measure(opened, listener, asking)


async def _add_caches(opened: Services, count: int) -> None:
    await opened.pool.execute(
        """
        INSERT INTO nodes (name, api_url, rtmp_url, hls_url, webrtc_url, srt_url,
            rtsp_url, role)
        SELECT 'c' || n, '', '', '', '', '', '', 'cache'
        FROM generate_series(0, $1 - 1) AS n
        """,
        count,
    )


@dataclass
class Asking:
    """Every viewer once, spread over sessions and edges."""

    opened: Services
    viewers: int
    edges: int
    sessions: list[int]

    def requests(self, start: int, count: int) -> list[Request]:
        return list(self._requests(start, count))

    def _requests(self, start: int, count: int) -> Iterator[Request]:
        keys, until = self.opened.secrets.viewer_tokens(), int(time.time()) + 3600
        for n in range(start, start + count):
            edge = f"c{n % self.edges}"
            path = f"live/{self.sessions[n % len(self.sessions)]}"
            token = sign_viewer(keys, ViewerToken(f"viewer{n:06}", path, 0, until))
            yield Request(
                b"POST",
                f"/edge/{edge}/auth".encode(),
                self._basic(edge),
                _body(path, token),
            )

    def _basic(self, edge: str) -> bytes:
        secret = self.opened.secrets.node(edge)
        return b"Basic " + base64.b64encode(f"{edge}:{secret}".encode())


def _body(path: str, token: str) -> bytes:
    call = {"action": "read", "protocol": "hls", "path": f"n0/{path}"}
    return msgspec.json.encode(call | {"ip": "203.0.113.9", "token": token})


async def _measure(opened: Services, listener: Listener, asking: Asking) -> None:
    empty, redis_cpu = await _memory(opened), await _redis_cpu(opened)
    answering = writing = 0.0
    for start in range(0, asking.viewers, TOGETHER):
        requests = asking.requests(start, min(TOGETHER, asking.viewers - start))
        began = time.process_time()
        for request in requests:
            answer = listener.answer(request)
            if not isinstance(answer, Answer) or answer.status != 200:
                raise SystemExit("A viewer was refused.")
            finish(answer)
        answering += time.process_time() - began
        began = time.process_time()
        await opened.hints.flush()
        writing += time.process_time() - began
    redis_cpu = await _redis_cpu(opened) - redis_cpu
    used = await _memory(opened) - empty
    counted = await _counted(opened)
    viewers, hundreds = asking.viewers, asking.viewers / PER
    each, asked = (answering + writing) / viewers, viewers / ASKS_AFTER
    print(f"{viewers:,} viewers of {len(asking.sessions):,} sessions")
    print(f"  {counted:,} are counted")
    print(f"  {1 / each:,.0f} questions in a second of CPU, without connections:")
    print(f"    {answering / viewers * 1e6:.1f} µs to answer one")
    print(f"    {writing / viewers * 1e6:.1f} µs to write it down")
    print(f"  {asked:,.0f} come in a second: {asked * each:.1f} cores")
    print(f"  {redis_cpu / hundreds:.2f} s of Redis for each {PER:,}, once in 10 s:")
    print(f"    {redis_cpu / ASKS_AFTER:.0%} of its core")
    print(f"  {used / hundreds / 2**20:.1f} MB of Redis for each {PER:,}")


async def _counted(opened: Services) -> int:
    live = await session_store.live(opened.pool, 10**6, 0)
    return sum((await opened.counts.of(live)).values())


async def _memory(opened: Services) -> int:
    return int((await opened.redis.info("memory"))["used_memory"])


async def _redis_cpu(opened: Services) -> float:
    found = await opened.redis.info("cpu")
    return float(found["used_cpu_user"]) + float(found["used_cpu_sys"])


if __name__ == "__main__":
    main()
