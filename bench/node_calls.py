"""What a node sends: the bytes of an auth call, and something live to ask about."""

import base64
import json
import secrets
import time

import asyncpg

from bench.servers import Service
from control_plane.base.secrets import Secrets
from control_plane.base.tokens import ViewerToken, sign_viewer

NODE = "local"
_LIVE = """
    WITH someone AS (INSERT INTO users (username) VALUES ('bench') RETURNING id)
    INSERT INTO live_streaming_sessions
        (user_id, path, node, status, started_at, longest, publisher_id)
    SELECT id, 'live/1', 'local', 'live', now(), interval '1 hour', 'bench'
    FROM someone
"""


async def live_path(database: str) -> str:
    """A session that is live, as far as the tables know."""
    connection = await asyncpg.connect(database)
    try:
        await connection.execute(_LIVE)
    finally:
        await connection.close()
    return "live/1"


def viewer_token(ours: Service, path: str) -> str:
    viewer = ViewerToken(
        secrets.token_urlsafe(9), path, 0, expires_at=int(time.time()) + 3600
    )
    return sign_viewer(Secrets(ours.secret).viewer_tokens(), viewer)


def read_call(ours: Service, path: str, node: str = NODE) -> bytes:
    """An HLS viewer with a token, as v1.20.1 asks about it."""
    payload = {
        "ip": "198.51.100.4",
        "user": "",
        "password": "",
        "token": "",
        "action": "read",
        "path": path,
        "protocol": "hls",
        "id": "0b6c3a54-1f7e-4a3c-8a44-7a1d2f6f9b02",
        "query": f"token={viewer_token(ours, path)}",
        "userAgent": "Mozilla/5.0",
    }
    body = json.dumps(payload, separators=(",", ":")).encode()
    secret = Secrets(ours.secret).node(node)
    basic = base64.b64encode(f"{node}:{secret}".encode()).decode()
    head = (
        f"POST /hooks/mediamtx/{node}/auth HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"User-Agent: Go-http-client/1.1\r\nContent-Length: {len(body)}\r\n"
        f"Authorization: Basic {basic}\r\nContent-Type: application/json\r\n"
        "Accept-Encoding: gzip\r\n\r\n"
    )
    return head.encode() + body
