"""Viewers that a real MediaMTX admits: HLS sessions opened a second, 16 at once, with
our service and with a bare aiohttp handler, and with Go's server where there is a
toolchain, as the one that it asks.

Needs MEDIAMTX_BIN, a v1.18.0 or newer. Each slice has a fresh node: one that lists
many sessions is slower. Nothing is pinned: node, auth server and client share the
cores as they do on one machine.
"""

import argparse
import asyncio
import contextlib
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from bench.golang import built
from bench.load import Load, Slice, WrongAnswer, client, median
from bench.node_calls import NODE, live_path, viewer_token
from bench.servers import (
    Service,
    bare_aiohttp,
    free_port,
    go_http,
    running,
    service,
    stores,
)
from control_plane.base.secrets import Secrets
from control_plane.commands.demo import ffmpeg
from mediamtx.render import NodeConfig, render

CLIENTS = 16
OURS = "control plane"
START = 20.0  # seconds for the first picture
AIMS = {"bare aiohttp": "  (aim: 1.5 or more)"}
PICTURE = (
    *("-hide_banner", "-loglevel", "error"),
    *("-re", "-f", "lavfi", "-i", "testsrc=size=128x72:rate=10"),
    *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "10"),
    *("-f", "flv"),
)


@dataclass(frozen=True, slots=True)
class Node:
    rtmp: int
    hls: int

    def asks(self, path: str, token: str) -> bytes:
        """What opens a session: without a cookie, as a player's first request."""
        return (
            f"GET /{path}/index.m3u8?cookieCheck=1&token={token} HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{self.hls}\r\nUser-Agent: bench\r\n\r\n"
        ).encode()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rotations", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each slice")
    options = parser.parse_args()
    binary = os.environ.get("MEDIAMTX_BIN")
    if not binary:
        print("admission: skipped, MEDIAMTX_BIN names no MediaMTX")
        return
    asyncio.run(_run(binary, options.rotations, options.seconds))


async def _run(binary: str, rotations: int, seconds: float) -> None:
    with built() as programs:
        name, load = client(programs)
        print(f"client: {name}")
        async with stores() as urls:
            with service(urls) as ours, bare_aiohttp() as bare, go_http(programs) as go:
                path = await live_path(urls.database)
                ports = {OURS: ours.internal, "bare aiohttp": bare}
                ports |= {} if go is None else {"Go": go}
                found = await asyncio.to_thread(
                    _rotate, binary, load, ours, path, ports, rotations, seconds
                )
    _report(found)


def _rotate(
    binary: str,
    load: Load,
    ours: Service,
    path: str,
    ports: Mapping[str, int],
    rotations: int,
    seconds: float,
) -> dict[str, list[Slice]]:
    found: dict[str, list[Slice]] = {name: [] for name in ports}
    for _ in range(rotations):
        for name, port in ports.items():
            with _node(binary, ours, port) as node, _picture(node, path):
                request = node.asks(path, viewer_token(ours, path))
                _until_it_plays(load, node, request)
                found[name].append(load(node.hls, request, CLIENTS, seconds))
    return found


@contextlib.contextmanager
def _node(binary: str, ours: Service, asked: int) -> Iterator[Node]:
    """Nobody is asked about its one publisher: only viewers are measured."""
    node = Node(free_port(), free_port())
    secret = Secrets(ours.secret).node(NODE)
    url = f"http://{NODE}:{secret}@127.0.0.1:{asked}/hooks/mediamtx/{NODE}/auth"
    config = NodeConfig(
        auth_url=url,
        rtmp=f"127.0.0.1:{node.rtmp}",
        hls=f"127.0.0.1:{node.hls}",
        webrtc="",
        srt="",
        rtsp="",
        api="",
    )
    settings = yaml.safe_load(render(config))
    settings |= {"authHTTPExclude": [{"action": "publish"}], "logLevel": "error"}
    with tempfile.TemporaryDirectory(prefix="bench-node-") as folder:
        file = Path(folder) / "mediamtx.yml"
        file.write_text(yaml.safe_dump(settings))
        with running([binary, str(file)], node.hls, os.environ):
            yield node


@contextlib.contextmanager
def _picture(node: Node, path: str) -> Iterator[None]:
    url = f"rtmp://127.0.0.1:{node.rtmp}/{path}"
    encoder = subprocess.Popen([ffmpeg(), *PICTURE, url])
    try:
        yield
    finally:
        encoder.kill()
        encoder.wait()


def _until_it_plays(load: Load, node: Node, request: bytes) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end:
        with contextlib.suppress(WrongAnswer):
            load(node.hls, request, 1, 0)
            return
        time.sleep(0.2)
    raise SystemExit("The node shows no picture.")


def _report(found: Mapping[str, list[Slice]]) -> None:
    print(f"\nviewers admitted by a real MediaMTX, {CLIENTS} at once")
    for name, slices in found.items():
        p50 = median(slices, lambda one: one.quantile(0.5)) * 1e3
        rate = median(slices, lambda one: one.rate)
        print(f"  {name:14} {rate:7.0f}/s   p50 {p50:5.1f} ms")
    for name in list(found)[1:]:
        ratio = statistics.median(
            one.rate / other.rate
            for one, other in zip(found[OURS], found[name], strict=True)
        )
        print(f"  ratio to {name}: {ratio:.2f}{AIMS.get(name, '')}")


if __name__ == "__main__":
    main()
