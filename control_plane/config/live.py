"""Broadcasts, their viewers, and the media node of a small installation."""

from typing import Literal

from pydantic import Field

from control_plane.config.concern import Concern
from control_plane.config.kinds import Address


class LiveSettings(Concern):
    """Broadcasts and their viewers."""

    playback: Literal["public", "token"] = "public"
    """`public`: whoever knows the address may watch; `token`: who has one from `watch`.
    A broadcast's own policy comes before it."""
    viewer_token_hours: float = Field(12.0, gt=0, le=720)
    """How long a viewer's token opens a player."""
    rights_seconds: float = Field(30.0, gt=0, le=3600)
    """Between two looks at whether those who watch still may."""
    watching_at_once: int = Field(0, ge=0)
    """So many players of one account at most, over all nodes; 0: any number."""
    first_publish_seconds: int = Field(3600, ge=1)
    """How long after `liveStream` an encoder may come for the first time."""
    reconnect_seconds: int = Field(60, ge=0, le=1800)
    """How long a session waits for its encoder to come back, where its
    `reconnect_window` does not say."""
    longest_session_seconds: int = Field(43_200, ge=1)
    """A broadcast is cut after that time (12 hours), and has ended: `too_long`."""
    heartbeat_seconds: float = Field(60.0, ge=0)
    """Between two events that say that a session is still live; 0: none."""
    preview_seconds: float = Field(20.0, ge=0)
    """Between two pictures of a live session; 0: none are made. They need ffmpeg."""
    ffmpeg: str = "ffmpeg"
    """The program that makes them: its path, or its name in `PATH`."""
    reconcile_seconds: float = Field(2.0, gt=0.0, le=4.0)
    """Between two looks at a node; what is found at an edge counts for five."""
    signed_url_seconds: int = Field(900, ge=30, le=86_400)
    """So long a CDN serves whoever was sent there, whatever happens meanwhile."""
    caches: bool = False
    """Nodes let caches in front of them, from MediaMTX v1.18.1 on."""


class NodeSettings(Concern):
    """The settings' own node.

    It needs no `nodes add`. The ports are also those of every node's `mediamtx.yml`.
    """

    node_name: str = Field("local", pattern=r"^([a-z0-9][a-z0-9-]{0,31})?$")
    """Its name; empty: there is none."""
    node_host: str = ""
    """Where encoders and viewers reach it; none: at the host that they call us by."""
    node_api_url: Address = ""
    """Where we reach its API; none: on this machine, at the port below."""
    node_hls_url: Address = ""
    """Where viewers reach its HLS, as through a proxy that speaks TLS; none: at its
    host and the port below."""
    node_webrtc_url: Address = ""
    """Where WHIP and WHEP are reached, in the same way."""
    node_region: str = ""
    """Where it stands: any word."""
    node_weight: int = Field(1, ge=1, le=1000)
    """Its share of new broadcasts beside other nodes'."""
    node_publishers: int | None = Field(None, ge=1)
    """So many open broadcasts at most; none: no bound."""
    node_readers: int | None = Field(None, ge=1)
    """So many viewers at most; none: no bound."""
    node_bits: int | None = Field(None, ge=1)
    """So many bits a second to viewers at most; none: no bound."""
    node_sandbox: bool = False
    """It is the sandbox node, which is not for production."""
    rtmp_port: int = Field(1935, ge=1, le=65535)
    """RTMP."""
    hls_port: int = Field(8888, ge=1, le=65535)
    """HLS."""
    webrtc_port: int = Field(8889, ge=1, le=65535)
    """WHIP and WHEP."""
    webrtc_udp_port: int = Field(8189, ge=1, le=65535)
    """WebRTC's media, over UDP."""
    srt_port: int = Field(8890, ge=1, le=65535)
    """SRT, over UDP."""
    rtsp_port: int = Field(8554, ge=1, le=65535)
    """RTSP."""
    api_port: int = Field(9997, ge=1, le=65535)
    """MediaMTX's own API."""
