"""A real MediaMTX as a benchmark's node, or the sandbox, and encoders for it."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from bench.node_calls import NODE
from bench.servers import free_port, running
from control_plane.base.secrets import Secrets
from control_plane.commands.demo import ffmpeg
from mediamtx.binary import PINNED, version_of
from mediamtx.render import NodeConfig, render

_PICTURE = (
    *("-hide_banner", "-loglevel", "quiet"),
    *("-re", "-f", "lavfi", "-i", "testsrc=size=128x72:rate=10"),
    *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "10"),
    *("-f", "flv"),
)


@dataclass(frozen=True, slots=True)
class Node:
    rtmp: int
    hls: int
    api: int

    def asks(self, path: str, token: str) -> bytes:
        """What opens a session: without a cookie, as a player's first request."""
        return (
            f"GET /{path}/index.m3u8?cookieCheck=1&token={token} HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{self.hls}\r\nUser-Agent: bench\r\n\r\n"
        ).encode()


def binary() -> str:
    """MEDIAMTX_BIN, or nothing."""
    return os.environ.get("MEDIAMTX_BIN", "")


async def version() -> str:
    """Of the real one, else the newest."""
    return await version_of(Path(binary())) if binary() else PINNED


def somewhere() -> Node:
    return Node(free_port(), free_port(), free_port())


@contextlib.contextmanager
def node(
    where: Node,
    secret: str,
    asked: int,
    *,
    version: str = PINNED,
    excluded: str = "",
) -> Iterator[None]:
    """Runs until the context ends. ``secret``: the service's; ``asked``: the port of
    whoever it asks about all but the ``excluded`` action; ``version``: its own."""
    user = f"{NODE}:{Secrets(secret).node(NODE)}"
    config = NodeConfig(
        auth_url=f"http://{user}@127.0.0.1:{asked}/hooks/mediamtx/{NODE}/auth",
        rtmp=f"127.0.0.1:{where.rtmp}",
        hls=f"127.0.0.1:{where.hls}",
        api=f"127.0.0.1:{where.api}",
        webrtc="",
        srt="",
        rtsp="",
    )
    settings = yaml.safe_load(render(config, version)) | {"logLevel": "error"}
    if excluded:
        settings["authHTTPExclude"] = [{"action": excluded}]
    with tempfile.TemporaryDirectory(prefix="bench-node-") as folder:
        file = Path(folder) / "mediamtx.yml"
        file.write_text(yaml.safe_dump(settings))
        command = [binary()] if binary() else [sys.executable, "-m", "mediamtx.sandbox"]
        with running([*command, str(file)], where.hls, os.environ):
            yield


@contextlib.contextmanager
def encoder(url: str) -> "Iterator[subprocess.Popen[bytes]]":
    """A small moving picture, in real time."""
    process = subprocess.Popen([ffmpeg(), *_PICTURE, url], stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
