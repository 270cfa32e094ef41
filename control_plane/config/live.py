"""Broadcasts, their viewers, and the media node of a small installation."""

from typing import Literal

from pydantic import Field

from control_plane.config.concern import Concern
from control_plane.config.kinds import Address


class LiveSettings(Concern):
    playback: Literal["public", "token"] = "public"
    viewer_token_hours: float = Field(12.0, gt=0, le=720)
    # Between two looks at whether those who watch still may.
    rights_seconds: float = Field(30.0, gt=0, le=3600)
    # So many players of one account at most, over all nodes; 0: any number.
    watching_at_once: int = Field(0, ge=0)
    first_publish_seconds: int = Field(3600, ge=1)
    reconnect_seconds: int = Field(60, ge=0, le=1800)
    longest_session_seconds: int = Field(43_200, ge=1)
    # Between two events that say that a session is still live; 0: none.
    heartbeat_seconds: float = Field(60.0, ge=0)
    # Between two pictures of a live session; 0: none are made. They need ffmpeg.
    preview_seconds: float = Field(20.0, ge=0)
    ffmpeg: str = "ffmpeg"
    # Between two looks at a node; what is found at an edge counts for five.
    reconcile_seconds: float = Field(2.0, gt=0.0, le=4.0)

    # So long a CDN serves whoever was sent there, whatever happens meanwhile.
    signed_url_seconds: int = Field(900, ge=30, le=86_400)

    # Nodes let caches in front of them, from MediaMTX v1.18.1 on.
    caches: bool = False


class NodeSettings(Concern):
    """One node that needs no `nodes add`; no name: there is none."""

    node_name: str = Field("local", pattern=r"^([a-z0-9][a-z0-9-]{0,31})?$")
    node_host: str = ""
    # Where it is reached instead of at NODE_HOST (its API: on this machine) and the
    # ports below, as behind a proxy that speaks TLS.
    node_api_url: Address = ""
    node_hls_url: Address = ""
    node_webrtc_url: Address = ""
    node_region: str = ""
    # Its share of new broadcasts beside other nodes', and what it carries at most:
    # encoders, viewers, bits a second to viewers; none: no bound.
    node_weight: int = Field(1, ge=1, le=1000)
    node_publishers: int | None = Field(None, ge=1)
    node_readers: int | None = Field(None, ge=1)
    node_bits: int | None = Field(None, ge=1)
    node_sandbox: bool = False
    rtmp_port: int = Field(1935, ge=1, le=65535)
    hls_port: int = Field(8888, ge=1, le=65535)
    webrtc_port: int = Field(8889, ge=1, le=65535)
    webrtc_udp_port: int = Field(8189, ge=1, le=65535)
    srt_port: int = Field(8890, ge=1, le=65535)
    rtsp_port: int = Field(8554, ge=1, le=65535)
    api_port: int = Field(9997, ge=1, le=65535)
