"""The auth endpoint, called as MediaMTX calls it, against a bare aiohttp handler and,
where there is a Go toolchain, against Go's own server.

Ours checks the node's secret and a viewer's token, decides from memory and counts the
viewer; the yardsticks only decode the JSON. All get the same bytes, on a new
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
from bench.servers import (
    Service,
    bare_aiohttp,
    go_http,
    keep_off_the_servers,
    service,
    stores,
)
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
    keep_off_the_servers()
    async with stores() as urls:
        with service(urls) as ours, bare_aiohttp() as bare, go_http() as go:
            request = _request(ours, await _live_path(urls.database))
            yardsticks = {"bare aiohttp": bare} | ({} if go is None else {"Go": go})
            for name, way in WAYS.items():
                for yardstick, port in yardsticks.items():
                    pairs = await asyncio.to_thread(
                        _rotate, way, (ours.internal, port), request, rotations, seconds
                    )
                    _report(name, yardstick, pairs)
            if go is None:
                print("\nNo Go toolchain here: not compared with Go's server.")


def _many(port: int, request: bytes, seconds: float) -> Slice:
    return at_once(port, request, seconds, CLIENTS)


WAYS: dict[str, Way] = {"one at a time": serial, f"{CLIENTS} at once": _many}


def _rotate(
    way: Way, ports: tuple[int, int], request: bytes, rotations: int, seconds: float
) -> list[tuple[Slice, Slice]]:
    for port in ports:
        way(port, request, 0.3)
    ours, yardstick = ports
    return [
        (way(ours, request, seconds), way(yardstick, request, seconds))
        for _ in range(rotations)
    ]


def _report(name: str, yardstick: str, pairs: list[tuple[Slice, Slice]]) -> None:
    print(f"\nauth, {name}, a new connection each, {len(pairs)} rotations")
    for label, slices in zip(
        ("control plane", yardstick), zip(*pairs, strict=True), strict=True
    ):
        rate = statistics.median(one.rate for one in slices)
        p50 = statistics.median(one.quantile(0.5) for one in slices) * 1e6
        p99 = statistics.median(one.quantile(0.99) for one in slices) * 1e6
        print(f"  {label:14} {rate:8.0f}/s   p50 {p50:6.0f} µs   p99 {p99:6.0f} µs")
    rate = statistics.median(ours.rate / other.rate for ours, other in pairs)
    p50 = statistics.median(
        ours.quantile(0.5) / other.quantile(0.5) for ours, other in pairs
    )
    print(
        f"  ratio to {yardstick}: rate {rate:.2f}, p50 {p50:.2f}  ({AIMS[yardstick]})"
    )


AIMS = {
    "bare aiohttp": "aims: rate at once 2.5 or more, p50 one at a time 0.40 or less",
    "Go": "aims: rate at once 0.75 or more, p50 one at a time 1.0 or less",
}


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
