"""The addresses that encoders and viewers are given."""

from dataclasses import dataclass
from urllib.parse import urlencode

from control_plane.live.model.edges import path_at_edge
from control_plane.live.model.nodes import Node


@dataclass(frozen=True, slots=True)
class PublishUrls:
    """``server`` and ``stream_key`` are exactly OBS's two fields. Where no node takes a
    broadcast, all but ``stream_key`` are empty."""

    rtmp: str
    server: str
    stream_key: str
    srt: str
    whip: str


def publish_urls(node: Node | None, host: str, path: str, key: str) -> PublishUrls:
    """``host`` stands in where the node's public URLs say ``{host}``."""
    app, _, name = path.rpartition("/")
    stream_key = f"{name}?key={key}"
    if node is None:
        return PublishUrls("", "", stream_key, "", "")
    rtmp = _at(node.rtmp_url, host)
    srt = _at(node.srt_url, host)
    # Not encoded: MediaMTX and ffmpeg take the stream id as it stands.
    stream_id = f"publish:{path}:key:{key}"
    return PublishUrls(
        rtmp=f"{rtmp}/{path}?key={key}",
        server=f"{rtmp}/{app}",
        stream_key=stream_key,
        srt=f"{srt}?streamid={stream_id}&pkt_size=1316",
        whip=f"{_at(node.webrtc_url, host)}/{path}/whip",
    )


def playback_url(
    origin: Node, host: str, path: str, token: str = "", *, at: Node | None = None
) -> str:
    """``at``: where to read; None: at the origin. A cache knows each viewer by what
    stands before the path, and has one answer for all; a CDN checks that by itself."""
    at = at or origin
    name = path if at.role == "origin" else path_at_edge(origin.name, path)
    if at.role in ("cache", "cdn"):
        return f"{_at(at.hls_url, host)}/{token}/{name}/index.m3u8"
    query = "?" + urlencode({"token": token}) if token else ""
    return f"{_at(at.hls_url, host)}/{name}/index.m3u8{query}"


def _at(url: str, host: str) -> str:
    return url.replace("{host}", host)
