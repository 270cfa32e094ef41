"""The auth endpoint, called as MediaMTX calls it, against a bare aiohttp handler.

Ours checks the node's secret and a viewer's token, decides from memory and counts the
viewer; the yardstick only decodes the JSON. Both get the same bytes, on a new
connection for each call. Slices alternate; medians of all rotations are printed, and
the ratio, which is what counts.
"""

import argparse
import asyncio
import base64
import json
import secrets
import statistics
import time
from collections.abc import Callable

import asyncpg

from bench.load import Slice, at_once, serial
from bench.servers import Service, bare_aiohttp, service, stores
from control_plane.base.secrets import Secrets
from control_plane.base.tokens import ViewerToken, sign_viewer

CLIENTS = 64
NODE = "local"
Way = Callable[[int, bytes, float], Slice]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rotations", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each slice")
    options = parser.parse_args()
    asyncio.run(_run(options.rotations, options.seconds))


async def _run(rotations: int, seconds: float) -> None:
    async with stores() as urls:
        with service(urls) as ours, bare_aiohttp() as bare:
            request = _request(ours, await _live_path(urls.database))
            ways: dict[str, Way] = {
                "one at a time": serial,
                f"{CLIENTS} at once": _many,
            }
            for name, way in ways.items():
                pairs = await asyncio.to_thread(
                    _rotate, way, (ours.internal, bare), request, rotations, seconds
                )
                _report(name, pairs)


def _many(port: int, request: bytes, seconds: float) -> Slice:
    return at_once(port, request, seconds, CLIENTS)


def _rotate(
    way: Way, ports: tuple[int, int], request: bytes, rotations: int, seconds: float
) -> list[tuple[Slice, Slice]]:
    for port in ports:
        way(port, request, 0.3)
    ours, bare = ports
    return [
        (way(ours, request, seconds), way(bare, request, seconds))
        for _ in range(rotations)
    ]


def _report(name: str, pairs: list[tuple[Slice, Slice]]) -> None:
    print(f"\nauth, {name}, a new connection each, {len(pairs)} rotations")
    for label, slices in zip(
        ("control plane", "bare aiohttp"), zip(*pairs, strict=True), strict=True
    ):
        rate = statistics.median(one.rate for one in slices)
        p50 = statistics.median(one.quantile(0.5) for one in slices) * 1e6
        p99 = statistics.median(one.quantile(0.99) for one in slices) * 1e6
        print(f"  {label:14} {rate:8.0f}/s   p50 {p50:6.0f} µs   p99 {p99:6.0f} µs")
    rate = statistics.median(ours.rate / bare.rate for ours, bare in pairs)
    print(f"  ratio: {rate:.2f} of the bare handler's rate (aim: 0.75 or more)")


async def _live_path(database: str) -> str:
    """A session that is live, as far as the tables know."""
    connection = await asyncpg.connect(database)
    try:
        await connection.execute(_LIVE)
    finally:
        await connection.close()
    return "live/1"


_LIVE = """
    WITH someone AS (INSERT INTO users (username) VALUES ('bench') RETURNING id)
    INSERT INTO live_streaming_sessions
        (user_id, path, node, status, started_at, longest, publisher_id)
    SELECT id, 'live/1', 'local', 'live', now(), interval '1 hour', 'bench'
    FROM someone
"""


def _request(ours: Service, path: str) -> bytes:
    known = Secrets(ours.secret)
    expires_at = int(time.time()) + 3600
    viewer = ViewerToken(secrets.token_urlsafe(9), path, 0, expires_at)
    token = sign_viewer(known.viewer_tokens(), viewer)
    payload = {
        "ip": "198.51.100.4",
        "user": "",
        "password": "",
        "token": "",
        "action": "read",
        "path": path,
        "protocol": "hls",
        "id": "0b6c3a54-1f7e-4a3c-8a44-7a1d2f6f9b02",
        "query": f"token={token}",
        "userAgent": "Mozilla/5.0",
    }
    body = json.dumps(payload, separators=(",", ":")).encode()
    basic = base64.b64encode(f"{NODE}:{known.node(NODE)}".encode()).decode()
    head = (
        f"POST /hooks/mediamtx/{NODE}/auth HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"User-Agent: Go-http-client/1.1\r\nContent-Length: {len(body)}\r\n"
        f"Authorization: Basic {basic}\r\nContent-Type: application/json\r\n"
        "Accept-Encoding: gzip\r\n\r\n"
    )
    return head.encode() + body


if __name__ == "__main__":
    main()
