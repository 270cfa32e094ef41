"""What open pages cost Postgres: 1,000 of them on 500 live sessions, all of it counted,
what the service does by itself too. The yardstick is the same service with no page
open.

Real event streams over real connections; the node lists every session.
"""

import argparse
import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator

import asyncpg
from aiohttp import web

from bench.servers import free_port, service, stores
from control_plane.base.schema import migrate
from control_plane.web.connections import take_all_descriptors

SETTLED = 12.0  # seconds: a connection tells what it did when it has rested for ten
AIM = 20  # statements a second


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--sessions", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=20.0)
    asyncio.run(_run(parser.parse_args()))


async def _run(options: argparse.Namespace) -> None:
    take_all_descriptors()
    port = free_port()
    changes = {
        "CONTROL_PLANE_API_PORT": str(port),
        "CONTROL_PLANE_EVENT_STREAMS_PER_ADDRESS": str(options.pages),
    }
    async with stores() as urls, _node(port, options.sessions):
        await migrate(urls.database)
        by_hand = await asyncpg.connect(urls.database)
        await by_hand.execute(_LIVE_NODE)
        await by_hand.execute(_LIVE, options.sessions)
        with service(urls, **changes) as ours:
            idle = await _rate(by_hand, options.seconds)
            async with _open(ours.public, options.pages, options.sessions):
                rate = await _rate(by_hand, options.seconds)
        await by_hand.close()
    print(
        f"{options.pages} pages open on {options.sessions} sessions:"
        f" {rate:.1f} statements a second in Postgres"
        f"  (no page open: {idle:.1f}; aim: {AIM} or fewer)"
    )


async def _rate(by_hand: "asyncpg.Connection[asyncpg.Record]", seconds: float) -> float:
    """Transactions a second; what runs again and again here is a statement each."""
    await asyncio.sleep(SETTLED)
    before = await by_hand.fetchval(_COMMITS)
    await asyncio.sleep(seconds)
    return float(await by_hand.fetchval(_COMMITS) - before) / seconds


@contextlib.asynccontextmanager
async def _open(public: int, pages: int, sessions: int) -> AsyncIterator[None]:
    """Each has told its first state."""
    async with asyncio.TaskGroup() as group:
        streams = []
        for page in range(pages):
            streams.append(await asyncio.open_connection("127.0.0.1", public))
            path = f"/watch/{1 + page % sessions}/events"
            head = f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"
            streams[-1][1].write(head.encode())
        for reader, _ in streams:
            await reader.readuntil(b"data: ")
        draining = [group.create_task(_drain(reader)) for reader, _ in streams]
        yield
        for task in draining:
            task.cancel()
        for _, writer in streams:
            writer.close()


async def _drain(reader: asyncio.StreamReader) -> None:
    while await reader.read(65_536):
        pass


@contextlib.asynccontextmanager
async def _node(port: int, sessions: int) -> AsyncIterator[None]:
    """As a node lists them: every session with its publisher and two viewers."""
    bytes_sent = itertools.count(1, 100_000)

    async def lists(request: web.Request) -> web.Response:
        match request.match_info["name"]:
            case "info":
                return web.json_response({"version": "v1.20.1", "started": "x"})
            case "paths/list":
                items = [_path(one + 1) for one in range(sessions)]
            case "hlssessions/list":
                sent = next(bytes_sent)
                items = [_viewer(one, sessions, sent) for one in range(2 * sessions)]
            case _:
                items = []
        return web.json_response({"items": items, "pageCount": 1})

    app = web.Application()
    app.router.add_get("/v3/{name:.*}", lists)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield
    finally:
        await runner.cleanup()


def _path(number: int) -> dict[str, object]:
    source = {"type": "rtmpConn", "id": f"p{number}"}
    return {"name": f"live/{number}", "online": True, "source": source}


def _viewer(number: int, sessions: int, sent: int) -> dict[str, object]:
    return {
        "id": f"v{number}",
        "path": f"live/{1 + number % sessions}",
        "remoteAddr": f"198.51.100.{number % 250}:1234",
        "query": "",
        "outboundBytes": sent,
    }


_COMMITS = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
_LIVE_NODE = """
    INSERT INTO nodes (name, api_url, rtmp_url, hls_url, webrtc_url, srt_url, rtsp_url)
    VALUES ('local', '', '', '', '', '', '')
"""
_LIVE = """
    WITH host AS (
        INSERT INTO users (username)
        SELECT 'host' || n FROM generate_series(1, $1::int) AS n RETURNING id
    )
    INSERT INTO live_streaming_sessions (user_id, path, node, status, started_at,
        longest, publisher_type, publisher_id)
    SELECT id, 'live/' || id, 'local', 'live', now(), '12 h', 'rtmpConn', 'p' || id
    FROM host
"""


if __name__ == "__main__":
    main()
