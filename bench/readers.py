"""Readers of HLS behind a cache: what they cost its origin and the auth endpoint,
beside what one costs, how right their count is, how soon one who is denied is out, and
what they notice when the encoder goes and comes back.

Real nginx, and a real MediaMTX where MEDIAMTX_BIN names one, else the sandbox node. The
readers are this process, and so is what counts the origin's requests.
"""

import argparse
import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp

from bench.media_node import binary
from bench.servers import stores
from control_plane.base.schema import migrate
from control_plane.live.model.edges import ASKS_AFTER, BEAT
from tests.support import media
from tests.support.edge import CacheEdge, HlsReader, Origin
from tests.support.process import Process
from tests.support.servers import server_folder
from tests.support.stack import Json, Stack

WITHOUT_LIMIT = str(10**9)
LOOKS_EVERY = 2.0  # seconds, for playlists, as players do


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    asyncio.run(_bench(options.readers, options.seconds))


async def _bench(readers: int, seconds: float) -> None:
    kind = "mediamtx" if binary() else "sandbox"
    with server_folder() as folder:
        media.FOLDER = folder
        async with stores() as urls:
            await migrate(urls.database)
            async with Stack(kind, folder, urls.database, urls.redis) as stack:
                stack.env["CONTROL_PLANE_WRITES_PER_MINUTE"] = WITHOUT_LIMIT
                await stack.start()
                async with _behind_a_cache(stack) as place:
                    print(f"{kind}, {seconds:g} s, playlists each {LOOKS_EVERY:g} s")
                    await place.measure(1, seconds)
                    await place.measure(readers, seconds)


@contextlib.asynccontextmanager
async def _behind_a_cache(stack: Stack) -> AsyncIterator["Place"]:
    origin = Origin(f"http://127.0.0.1:{stack.ports['HLS']}")
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        origin.running(),
        CacheEdge(stack, stack.folder, origin.url).running() as edge,
        aiohttp.ClientSession(connector=connector) as http,
    ):
        host = await stack.sign_in("ann")
        live = await stack.go_live(host, policy="token")
        encoder = await stack.publish(live["rtmp_url"])
        await stack.status(live["id"], "live")
        yield Place(stack, origin, edge, http, host, live, encoder)


class Reader(HlsReader):
    """Knows for how long it was refused at most."""

    refused_for = 0.0  # seconds

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        super().__init__(http, url)
        self.pause = LOOKS_EVERY
        self._served_at = time.monotonic()

    async def _get(self, url: str) -> bytes:
        found = await super()._get(url)
        now = time.monotonic()
        if found:
            self._served_at = now
        self.refused_for = max(self.refused_for, now - self._served_at)
        return found


@dataclass
class Place:
    """One broadcast, and where it is read."""

    stack: Stack
    origin: Origin
    edge: CacheEdge
    http: aiohttp.ClientSession
    host: str
    live: Json
    encoder: Process

    async def measure(self, count: int, seconds: float) -> None:
        watches = [await self._watch() for _ in range(count)]
        readers = [Reader(self.http, self._url(one["token"])) for one in watches]
        async with contextlib.AsyncExitStack() as playing:
            for reader in readers:
                await playing.enter_async_context(reader.playing())
            await asyncio.gather(*(reader.moves() for reader in readers))
            await self.stack.viewers(self.live["id"], count)
            print(f"{count} readers")
            await self._watch_them(readers, seconds)
            await self._deny(watches[0]["viewer"], readers[0])
            if readers[1:]:
                await self._come_back(readers[1:])

    async def _watch_them(self, readers: list[Reader], seconds: float) -> None:
        self.origin.asked.clear()
        self.stack.proxy.passed.clear()
        before = sum(reader.requests for reader in readers)
        error = await self._worst_count(len(readers), seconds)
        requests = sum(reader.requests for reader in readers) - before
        asked = self.stack.proxy.passed.count(("auth", f"local/{self.live['path']}"))
        print(f"  {requests / seconds:.1f} requests a second of theirs")
        print(f"  {self.origin.asked.total() / seconds:.1f} of the origin")
        each = asked / len(readers) / seconds * ASKS_AFTER
        print(f"  {each:.2f} questions for each viewer and {ASKS_AFTER} s")
        print(f"  {error:.1%} off is the worst count")

    async def _worst_count(self, right: int, seconds: float) -> float:
        worst, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            shown = (await self.stack.show(self.live["id"]))["viewers"]
            worst = max(worst, abs(shown - right))
            await asyncio.sleep(1.0)
        return worst / right

    async def _come_back(self, readers: list[Reader]) -> None:
        await self.stack.viewers(self.live["id"], len(readers))
        await self.encoder.kill()
        self.encoder = await self.stack.publish(self.live["rtmp_url"])
        await self.stack.status(self.live["id"], "live")
        error = await self._worst_count(len(readers), BEAT)
        await asyncio.gather(*(reader.moves() for reader in readers))
        worst = max(reader.refused_for for reader in readers)
        print(f"  {worst:.1f} s at most until all play on with another encoder")
        print(f"  {error:.1%} off is the worst count then")

    async def _deny(self, viewer: str, reader: HlsReader) -> None:
        began = time.monotonic()
        denied = {"id": self.live["id"], "viewer": viewer}
        await self.stack.ask("denyViewer", denied, self.host)
        await reader.ends_with(403)
        print(f"  {time.monotonic() - began:.1f} s until one who is denied is out")

    async def _watch(self) -> Json:
        watch: Json = (await self.stack.ask("watch", {"id": self.live["id"]}))["Watch"]
        return watch

    def _url(self, token: str) -> str:
        return f"{self.edge.url}/{token}/local/{self.live['path']}/index.m3u8"


if __name__ == "__main__":
    main()
