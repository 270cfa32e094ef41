"""The apps' busiest calls, with 100 sessions live, against a bare aiohttp handler that
answers with one row of the same Postgres.

Both are a process on a core of its own, and both are asked by 16 clients that keep
their connections. Slices alternate; the medians of all rotations are printed, with the
ratio, which is what counts.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Mapping, Sequence

import asyncpg

from bench.kept import kept
from bench.load import Slice
from bench.servers import (
    api_role,
    keep_off_the_servers,
    one_select,
    stores,
)
from control_plane.base.schema import migrate
from control_plane.base.secrets import Secrets
from control_plane.base.tokens import UserToken, sign_user

HOSTS = 100
VIDEOS = 300
KEYS = 30  # that were made for each session, but for one all dead
CLIENTS = 16

#: By call, whether as a guest, what is asked for, and the least ratio aimed at.
CALLS: Mapping[str, tuple[dict[str, object], float]] = {
    "showLiveStreams": ({}, 0.6),
    "showUserDetail": ({}, 0.6),
    "showUserDetail of another": ({"other_user_id": 1}, 0.6),
    "showRelatedVideos": ({"starting_point": 0}, 0.6),
    "liveStream": ({"title": "bench"}, 0.25),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rotations", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each slice")
    parser.add_argument("--only", default="", help="calls that begin so")
    options = parser.parse_args()
    asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> None:
    keep_off_the_servers()
    async with stores() as urls:
        await migrate(urls.database)
        hosts = await _fill(urls.database)
        with api_role(urls) as ours, one_select(urls.database) as bare:
            tokens = _tokens(ours.secret, hosts[-CLIENTS:])
            yardstick = [_request("one", {}, "")] * CLIENTS
            for name, (body, aim) in CALLS.items():
                if name.startswith(options.only):
                    asked = [_request(name.split()[0], body, one) for one in tokens]
                    pairs = await asyncio.to_thread(
                        _rotate, (ours.public, asked), (bare, yardstick), options
                    )
                    _report(name, pairs, aim)


Server = tuple[int, Sequence[bytes]]


def _rotate(
    ours: Server, bare: Server, options: argparse.Namespace
) -> list[tuple[Slice, Slice]]:
    for port, requests in (ours, bare):
        kept(port, requests, 0.5)
    return [
        (kept(*ours, options.seconds), kept(*bare, options.seconds))
        for _ in range(options.rotations)
    ]


def _report(name: str, pairs: list[tuple[Slice, Slice]], aim: float) -> None:
    print(f"\n{name}, {CLIENTS} clients, {HOSTS} sessions live")
    for label, slices in zip(
        ("control plane", "one SELECT"), zip(*pairs, strict=True), strict=True
    ):
        rate = statistics.median(one.rate for one in slices)
        p50 = statistics.median(one.quantile(0.5) for one in slices) * 1e3
        p99 = statistics.median(one.quantile(0.99) for one in slices) * 1e3
        print(f"  {label:14} {rate:8.0f}/s   p50 {p50:6.1f} ms   p99 {p99:6.1f} ms")
    ratio = statistics.median(a.rate / b.rate for a, b in pairs)
    print(f"  ratio: {ratio:.2f}  (aim: {aim} or more)", flush=True)


def _tokens(secret: str, users: Sequence[int]) -> list[str]:
    now = int(time.time())
    keys = Secrets(secret).user_tokens()
    return [
        sign_user(keys, UserToken(one, 1, now, now + 3600, f"bench-{one}"))
        for one in users
    ]


def _request(name: str, body: dict[str, object], token: str) -> bytes:
    data = json.dumps(body).encode()
    head = (
        f"POST /api/{name} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuth-Token: {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


async def _fill(database: str) -> list[int]:
    """Hosts who are live, followed by each other, and videos of theirs."""
    connection = await asyncpg.connect(database)
    try:
        await connection.execute(_NODE)
        rows = await connection.fetch(_LIVE, HOSTS)
        await connection.execute(_KEYS, KEYS)
        await connection.execute(_VIDEOS, VIDEOS)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
    return [row["user_id"] for row in rows]


_NODE = """
    INSERT INTO nodes (name, api_url, rtmp_url, hls_url, webrtc_url, srt_url, rtsp_url)
    VALUES ('local', '', 'rtmp://{host}', 'http://{host}:8888', 'http://{host}:8889',
        'srt://{host}', 'rtsp://{host}')
"""
_LIVE = """
    WITH host AS (
        INSERT INTO users (username, first_name, bio, profile_pic)
        SELECT 'host' || n, 'Host ' || n, 'Live every day',
            'https://cdn.example.com/' || n || '.jpg'
        FROM generate_series(1, $1::int) AS n RETURNING id
    ), counted AS (
        INSERT INTO user_counts (user_id, followers, videos) SELECT id, 5, 3 FROM host
    )
    INSERT INTO live_streaming_sessions
        (user_id, path, node, status, title, cover, started_at, longest, publisher_id)
    SELECT id, 'live/' || id, 'local', 'live', 'Hello', 'https://cdn.example.com/c.jpg',
        now() - make_interval(secs => id), '12 h', 'p'
    FROM host RETURNING user_id
"""
_KEYS = """
    INSERT INTO stream_keys (user_id, session_id, hash, hint, superseded_at)
    SELECT user_id, s.id, sha256((s.id || '-' || n)::bytea), 'abcd',
        CASE WHEN n > 1 THEN now() END
    FROM live_streaming_sessions s, generate_series(1, $1::int) AS n
"""
_VIDEOS = """
    INSERT INTO videos (user_id, description, video_url, thumbnail_url, duration)
    SELECT 1 + n % 100, 'Video ' || n, '/media/' || n || '.mp4',
        'https://cdn.example.com/' || n || '.jpg', 12.5
    FROM generate_series(1, $1::int) AS n
"""


if __name__ == "__main__":
    main()
