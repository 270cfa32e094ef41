"""What ``mediamtx.yml`` of a node says, from the settings."""

from control_plane.base.secrets import Secrets
from control_plane.config.settings import Settings
from mediamtx.render import NodeConfig, render


def node_config(known: Settings, name: str, bind: str = "") -> NodeConfig:
    """``bind``: the address to listen on; empty: on all."""
    secret = Secrets(known.secret.get_secret_value()).node(name)
    base = f"{known.node_reaches_us_at}/hooks/mediamtx/{name}"
    scheme, _, rest = base.partition("://")
    return NodeConfig(
        auth_url=f"{scheme}://{name}:{secret}@{rest}/auth",
        hook_url=base,
        rtmp=f"{bind}:{known.rtmp_port}",
        hls=f"{bind}:{known.hls_port}",
        webrtc=f"{bind}:{known.webrtc_port}",
        webrtc_udp=f"{bind}:{known.webrtc_udp_port}",
        srt=f"{bind}:{known.srt_port}",
        rtsp=f"{bind}:{known.rtsp_port}",
        api=f"127.0.0.1:{known.api_port}",
    )


def rendered(known: Settings, name: str, version: str) -> str:
    """The file's text. Raises ValueError with a sentence for people."""
    return render(node_config(known, name), version)
