"""Fetching a stream's newest segment from a node that answers anything."""

from collections.abc import Mapping

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from mediamtx import hls
from mediamtx.fragments import frames

MASTER = (
    '#EXTM3U\n#EXT-X-STREAM-INF:CODECS="avc1.64001f",RESOLUTION=640x360\nmedia.m3u8\n'
)
MEDIA = '#EXTM3U\n#EXT-X-MAP:URI="init.mp4"\n#EXTINF:2.0,\na.mp4\n#EXTINF:8.0,\nb.mp4\n'
GOOD: Mapping[str, str] = {
    "index.m3u8": MASTER,
    "media.m3u8": MEDIA,
    "init.mp4": "header ",
    "b.mp4": "segment",
}


async def fetched(files: Mapping[str, str]) -> hls.Newest | None:
    async def answer(request: web.Request) -> web.Response:
        text = files.get(request.match_info["name"])
        if text is None:
            return web.Response(status=404)
        assert request.query["token"] == "T"
        return web.Response(text=text)

    app = web.Application()
    app.router.add_get("/live/1/{name}", answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        return await hls.newest(http, str(server.make_url("/live/1/index.m3u8")), "T")


async def test_it_is_the_last_one_with_its_header() -> None:
    """The token goes with each request, also where playlists leave it out."""
    found = await fetched(GOOD)
    assert found == hls.Newest(
        b"header segment", "b.mp4", (2.0, 8.0), 0.0, "avc1.64001f", 640, 360
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"index.m3u8": None},
        {"media.m3u8": "#EXTM3U"},
        {"init.mp4": None},
        {"b.mp4": None},
    ],
)
async def test_there_is_none_yet(wrong: Mapping[str, str | None]) -> None:
    assert await fetched(without(wrong)) == hls.NOTHING


@pytest.mark.parametrize(
    "wrong",
    [
        {"index.m3u8": ""},
        {"index.m3u8": "#EXT-X-STREAM-INF:"},
        {"index.m3u8": "#EXT-X-STREAM-INF:RESOLUTION=axb\nmedia.m3u8"},
        {"index.m3u8": "#EXT-X-STREAM-INF:\nhttp://[::bad/"},
        {"media.m3u8": MEDIA.replace("8.0", "long")},
    ],
)
async def test_what_cannot_be_read_tells_nothing(wrong: Mapping[str, str]) -> None:
    assert await fetched(without(wrong)) is None


def without(wrong: Mapping[str, str | None]) -> dict[str, str]:
    files = {**GOOD, **wrong}
    return {name: text for name, text in files.items() if text is not None}


async def test_a_node_that_is_gone_tells_nothing() -> None:
    async with aiohttp.ClientSession() as http:
        assert (
            await hls.newest(http, "http://127.0.0.1:9/live/1/index.m3u8", "T") is None
        )


async def test_a_long_segment_is_read_as_far_as_needed() -> None:
    found = await fetched({**GOOD, "b.mp4": "x" * (hls.MOST + 1000)})
    assert found is not None
    assert len(found.data) == len("header ") + hls.MOST


@pytest.mark.parametrize("box", [b"\0\0\0\0moof", b"\0\0\0\7moof", b"\xff" * 20, b"\0"])
def test_boxes_that_are_none_hold_no_frames(box: bytes) -> None:
    assert frames(box, box) == 0
