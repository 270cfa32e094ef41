"""The stores and what works on them, without a listener or a node."""

from collections.abc import AsyncIterator

import pytest

from control_plane.base.database import Pool, open_pool
from control_plane.live.model.nodes import Node
from control_plane.live.store import nodes

NODE = Node(
    name="local",
    api_url="http://127.0.0.1:9997",
    rtmp_url="rtmp://127.0.0.1:1935",
    hls_url="http://127.0.0.1:8888",
    webrtc_url="http://127.0.0.1:8889",
    srt_url="srt://127.0.0.1:8890",
    rtsp_url="rtsp://127.0.0.1:8554",
)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """A node stands in the database, and a user: the first."""
    async with open_pool(database_url) as opened:
        await nodes.save(opened, NODE)
        await opened.execute("INSERT INTO users (username) VALUES ('ann')")
        yield opened
