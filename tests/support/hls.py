"""A node's HLS side as a viewer meets it, as a real server on a free port.

What it answers follows the recordings of v1.20.1: the master redirects once with a
cookie check, child playlists carry a ``session``, which is worth nothing once its
publisher is gone (401), and the master is 404 until there is a new one.
"""

import asyncio
import contextlib
import re
import secrets
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support import media

MASTER = (
    "#EXTM3U\n#EXT-X-VERSION:10\n#EXT-X-INDEPENDENT-SEGMENTS\n\n"
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="audio2",AUTOSELECT=YES,'
    'DEFAULT=YES,URI="1.m3u8?session={session}"\n\n'
    "#EXT-X-STREAM-INF:BANDWIDTH=655280,AVERAGE-BANDWIDTH=629636,"
    'CODECS="avc1.42c00c,mp4a.40.2",RESOLUTION=320x180,FRAME-RATE=25.000,AUDIO="audio"\n'
    "0.m3u8?session={session}\n"
)
ANYWHERE = {"Access-Control-Allow-Origin": "*"}


@dataclass
class Node:
    """``tokens`` are those that were asked for with a master playlist, in order."""

    folder: Path
    url: str = ""
    tokens: list[str] = field(default_factory=list)
    sessions: dict[str, int] = field(default_factory=dict)
    publishers: int = 0
    visited: asyncio.Event = field(default_factory=asyncio.Event)
    _encoder: asyncio.subprocess.Process | None = None

    @property
    def _live(self) -> Path:
        return self.folder / str(self.publishers)

    async def publish(self) -> None:
        """Starts an encoder; the one before is replaced."""
        await self.unpublish()
        self.publishers += 1
        self._live.mkdir()
        self._encoder = await asyncio.create_subprocess_exec(
            media.ffmpeg(), *media.endless(), *_arguments(), cwd=self._live
        )

    async def unpublish(self) -> None:
        if self._encoder is None:
            return
        self._encoder.kill()
        await self._encoder.wait()
        self._encoder = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name == "index.m3u8":
            return await self._master(request)
        if self.sessions.get(request.query.get("session", "")) != self.publishers:
            return self._error(401, "authentication error")
        if self._encoder is None:
            return self._error(401, "authentication error")
        return self._child(name, request.query["session"])

    async def _master(self, request: web.Request) -> web.StreamResponse:
        if "cookieCheck" not in request.query:
            to = request.rel_url.update_query(cookieCheck="1")
            return web.Response(status=302, headers=ANYWHERE | {"Location": str(to)})
        self.tokens.append(request.query.get("token", ""))
        self.visited.set()
        if self._encoder is None:
            return self._error(404, "no stream is available")
        publisher = self.publishers
        if not await self._has_segments():
            return self._error(404, "no stream is available")
        session = secrets.token_hex(8)
        self.sessions[session] = publisher
        return _playlist(MASTER.format(session=session))

    async def _has_segments(self) -> bool:
        """Holds the first playlist back until there is something in it."""
        live, encoder = self._live, self._encoder
        made = [live / "0.m3u8", live / "1.m3u8"]
        while not all(path.exists() for path in made):
            if self._encoder is not encoder:
                return False
            await asyncio.sleep(0.05)
        return True

    def _child(self, name: str, session: str) -> web.StreamResponse:
        path = self._live / name
        if not path.is_file():
            return self._error(404, "not found")
        if path.suffix != ".m3u8":
            # A FileResponse that a player breaks off leaves its file to the collector.
            return web.Response(
                body=path.read_bytes(), content_type="video/mp4", headers=ANYWHERE
            )
        text = re.sub(r"\b[01]_[\w.]+", rf"\g<0>?session={session}", path.read_text())
        return _playlist(text)

    def _error(self, status: int, text: str) -> web.Response:
        return web.json_response(
            {"status": "error", "error": text}, status=status, headers=ANYWHERE
        )


def _playlist(text: str) -> web.Response:
    return web.Response(
        text=text,
        content_type="application/vnd.apple.mpegurl",
        headers=ANYWHERE | {"Cache-Control": "private, no-cache"},
    )


def _arguments() -> list[str]:
    """Sound and picture apart, as MediaMTX gives them."""
    return [
        *("-map", "0:v", "-map", "0:a", "-c", "copy"),
        *("-f", "hls", "-hls_time", "1", "-hls_list_size", "7"),
        *("-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", "%v_init.mp4"),
        *("-hls_flags", "delete_segments+independent_segments+temp_file"),
        *("-hls_segment_filename", "%v_%d.mp4"),
        *("-var_stream_map", "v:0,agroup:audio a:0,agroup:audio"),
        "%v.m3u8",
    ]


@contextlib.asynccontextmanager
async def hls_node(folder: Path) -> AsyncIterator[Node]:
    node = Node(folder / "hls")
    node.folder.mkdir(parents=True)
    app = web.Application()
    app.router.add_get("/live/{path}/{name}", node.handle)
    async with TestServer(app) as server:
        node.url = f"http://{server.host}:{server.port}"
        try:
            yield node
        finally:
            await node.unpublish()
            shutil.rmtree(node.folder)
