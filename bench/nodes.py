"""Simulated MediaMTX nodes: the lists of a v1.20.1 over real HTTP, of viewers who
watch, come and go. All of them are one process of its own."""

import asyncio
import contextlib
import gc
import json
import os
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import uvloop
from aiohttp import web

from bench.servers import free_port, running
from control_plane.base.database import Pool
from control_plane.base.tokens import ViewerToken, sign_viewer

MOVING = b"@@@@@@@"  # in the bytes that a viewer was sent: other digits in each look
TICK = 0.001  # seconds
PATIENCE = 300.0  # seconds; each viewer's token is signed
NEVER = 2_000_000_000  # unix time


@dataclass(frozen=True)
class Plan:
    """``sessions``: their ids, by node. ``readers``: of each node, spread evenly.
    ``churn``: the part of them that is replaced in a second."""

    port: int
    sessions: Mapping[str, Sequence[int]]
    readers: int
    churn: float
    viewer_key: str  # hexadecimal

    def url(self, node: str) -> str:
        return f"http://127.0.0.1:{self.port}/{node}"


class SimulatedNode:
    """Its viewers are numbered; those of a moving window are there."""

    def __init__(self, plan: Plan, name: str) -> None:
        self.readers = plan.readers
        self._name = name
        self._sessions = plan.sessions[name]
        self._churn = plan.churn
        self._key = (bytes.fromhex(plan.viewer_key),)
        self._began = time.monotonic()
        self._viewers: list[bytes] = []
        self._publishers = [_publisher(one) for one in self._sessions]
        self._paths = [_path(one) for one in self._sessions]
        self._grow(plan.readers)

    def list(self, name: str, per_page: int, page: int) -> bytes | None:
        if name == "hlssessions":
            return self._viewers_page(per_page, page)
        items = {"paths": self._paths, "rtmpconns": self._publishers}.get(name)
        return None if items is None else _page(items, len(items), per_page, page)

    def _viewers_page(self, per_page: int, page: int) -> bytes:
        gone = int((time.monotonic() - self._began) * self._churn * self.readers)
        self._grow(gone + self.readers)
        start = gone + page * per_page
        some = self._viewers[start : min(start + per_page, gone + self.readers)]
        body = _page(some, self.readers, per_page, 0)
        return body.replace(MOVING, b"%07d" % (time.monotonic_ns() // 10**6 % 10**7))

    def _grow(self, count: int) -> None:
        for number in range(len(self._viewers), count):
            session = self._sessions[number % len(self._sessions)]
            self._viewers.append(self._viewer(number, f"live/{session}"))

    def _viewer(self, number: int, path: str) -> bytes:
        token = ViewerToken(f"{self._name}-{number:07}", path, 0, NEVER)
        return _json(
            {
                "id": str(uuid.uuid5(uuid.NAMESPACE_URL, token.viewer)),
                "created": "2026-11-22T10:41:56.86445633Z",
                "remoteAddr": f"10.{number >> 16 & 255}.{number >> 8 & 255}"
                f".{number & 255}:56400",
                "path": path,
                "query": f"token={sign_viewer(self._key, token)}",
                "user": "",
                "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
                "isCDN": False,
                "outboundBytes": "MOVING",
            }
        ).replace(b'"MOVING"', b"1" + MOVING)


def _publisher(session: int) -> bytes:
    return _json(
        {
            "id": f"p-{session}",
            "created": "2026-11-22T10:47:53.122546151Z",
            "remoteAddr": "127.0.0.1:55194",
            "state": "publish",
            "path": f"live/{session}",
            "query": "",
            "user": "",
            "inboundBytes": 530815,
            "outboundBytes": 3467,
        }
    )


def _path(session: int) -> bytes:
    return _json(
        {
            "name": f"live/{session}",
            "confName": "~^live/[A-Za-z0-9_-]+$",
            "ready": True,
            "online": True,
            "source": {"type": "rtmpConn", "id": f"p-{session}"},
            "tracks": ["H264", "MPEG-4 Audio"],
            "readers": [],
            "inboundBytes": 531749,
            "outboundBytes": 329118,
        }
    )


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _page(items: Sequence[bytes], count: int, per_page: int, page: int) -> bytes:
    some = items[page * per_page : (page + 1) * per_page]
    head = b'{"itemCount":%d,"pageCount":%d,"items":[' % (count, -(-count // per_page))
    return head + b",".join(some) + b"]}"


async def _answer(
    nodes: Mapping[str, SimulatedNode], request: web.Request
) -> web.Response:
    node, name = nodes[request.match_info["node"]], request.match_info["name"]
    query = request.query
    body = node.list(name, int(query["itemsPerPage"]), int(query["page"]))
    return web.Response(status=404) if body is None else web.Response(body=body)


async def _resize(
    nodes: Mapping[str, SimulatedNode], request: web.Request
) -> web.Response:
    """So many watch from here on."""
    for node in nodes.values():
        node.readers = int(request.match_info["readers"])
    return web.Response()


async def _info(_: web.Request) -> web.Response:
    return web.json_response({"version": "v1.20.1", "started": "2026-11-22T10:00:00Z"})


def main() -> None:
    plan = Plan(**json.loads(sys.argv[1]))
    nodes = {name: SimulatedNode(plan, name) for name in plan.sessions}
    app = web.Application()
    app.router.add_get("/{node}/v3/info", _info)
    app.router.add_get("/{node}/v3/{name}/list", partial(_answer, nodes))
    app.router.add_post("/readers/{readers}", partial(_resize, nodes))
    web.run_app(
        app,
        host="127.0.0.1",
        port=plan.port,
        access_log=None,
        print=None,
        loop=uvloop.new_event_loop(),
    )


@contextlib.contextmanager
def simulated(
    sessions: Mapping[str, Sequence[int]], readers: int, churn: float, key: bytes
) -> Iterator[Plan]:
    plan = Plan(free_port(), sessions, readers, churn, key.hex())
    command = [sys.executable, "-m", "bench.nodes", json.dumps(asdict(plan))]
    with running(command, plan.port, os.environ, PATIENCE):
        yield plan


async def live_sessions(pool: Pool, nodes: int, sessions: int) -> dict[str, list[int]]:
    """Rows of what these nodes carry: each session with its user, its key and the
    publisher that this key let in. Ids by node."""
    await pool.execute(
        """
        INSERT INTO nodes (name, api_url, rtmp_url, hls_url, webrtc_url, srt_url,
            rtsp_url)
        SELECT 'n' || n, '', '', '', '', '', '' FROM generate_series(0, $1 - 1) AS n
        """,
        nodes,
    )
    rows = await pool.fetch(
        """
        WITH hosts AS (
            INSERT INTO users (username) SELECT 'host' || i
            FROM generate_series(1, $2::integer) AS i RETURNING id
        )
        INSERT INTO live_streaming_sessions (id, user_id, path, node, status, longest,
            started_at, publisher_type, publisher_id)
        SELECT id, id, 'live/' || id, 'n' || id % $1::integer, 'live', '1 day', now(),
            'rtmpConn', 'p-' || id
        FROM hosts RETURNING id, node
        """,
        nodes,
        sessions,
    )
    await pool.execute(
        """
        WITH made AS (
            INSERT INTO stream_keys (user_id, session_id, hash, hint,
                first_published_at)
            SELECT user_id, id, sha256(path::bytea), '', now()
            FROM live_streaming_sessions RETURNING id, session_id
        )
        INSERT INTO publish_grants (node, source_id, path, key_id)
        SELECT s.node, s.publisher_id, s.path, k.id
        FROM live_streaming_sessions s JOIN made k ON k.session_id = s.id
        """
    )
    found: dict[str, list[int]] = {}
    for row in rows:
        found.setdefault(row["node"], []).append(row["id"])
    return found


async def point_at(pool: Pool, plan: Plan) -> None:
    for node in plan.sessions:
        await pool.execute(
            "UPDATE nodes SET api_url = $2 WHERE name = $1", node, plan.url(node)
        )


class Holds:
    """How long the event loop was held at most, in seconds."""

    def __init__(self) -> None:
        self.longest = 0.0

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()

    @staticmethod
    def as_served() -> None:
        """The service does the same once it has started."""
        gc.collect()
        gc.freeze()

    async def _watch(self) -> None:
        """In CPU time: other programs' turns are not ours."""
        while True:
            before = time.thread_time()
            await asyncio.sleep(TICK)
            self.longest = max(self.longest, time.thread_time() - before - TICK)


if __name__ == "__main__":
    main()
