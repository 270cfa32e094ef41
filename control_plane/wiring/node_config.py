"""A node as the settings describe it: its addresses, and its ``mediamtx.yml``."""

from collections.abc import Mapping
from dataclasses import replace

from control_plane.base.secrets import Secrets
from control_plane.config.live import NodeSettings
from control_plane.config.settings import Settings
from control_plane.live.model.edges import ASKS_AFTER, pull_token
from control_plane.live.model.nodes import Node
from mediamtx.nginx import Behind, CacheConfig
from mediamtx.render import NodeConfig, render


def node_config(known: Settings, name: str, bind: str = "") -> NodeConfig:
    """``bind``: the address to listen on; empty: on all."""
    secrets = Secrets(known.secret.get_secret_value())
    base = f"{known.node_reaches_us_at}/hooks/mediamtx/{name}"
    scheme, _, rest = base.partition("://")
    return NodeConfig(
        auth_url=f"{scheme}://{name}:{secrets.node(name)}@{rest}/auth",
        hook_url=base,
        rtmp=f"{bind}:{known.rtmp_port}",
        hls=f"{bind}:{known.hls_port}",
        webrtc=f"{bind}:{known.webrtc_port}",
        webrtc_udp=f"{bind}:{known.webrtc_udp_port}",
        srt=f"{bind}:{known.srt_port}",
        rtsp=f"{bind}:{known.rtsp_port}",
        api=f"127.0.0.1:{known.api_port}",
        cdn_secret=secrets.cdn(name) if known.caches else "",
    )


def hook_environ(known: Settings, name: str) -> dict[str, str]:
    """What a node's hook command needs to know. It is secret."""
    secrets = Secrets(known.secret.get_secret_value())
    return {"CONTROL_PLANE_HOOK_SECRET": secrets.node(name)}


def edge_config(
    known: Settings, name: str, origins: Mapping[str, str], bind: str = ""
) -> NodeConfig:
    """Of a node that serves viewers what it reads from ``origins``, by name their RTSP
    URLs."""
    secrets = Secrets(known.secret.get_secret_value())
    return replace(
        node_config(known, name, bind),
        hook_url="",
        cdn_secret="",
        origins=origins,
        pull=pull_token(secrets.viewer_tokens(), name),
    )


def cache_config(
    known: Settings, name: str, origins: Mapping[str, str], *, signed: bool = False
) -> CacheConfig:
    """Of a cache in front of ``origins``, by name their HLS URLs. ``signed``: it checks
    addresses, those of the old secret too, and asks nobody."""
    secrets = Secrets(
        known.secret.get_secret_value(), known.old_secret.get_secret_value()
    )
    return CacheConfig(
        name=name,
        secret=secrets.node(name),
        control_plane=known.node_reaches_us_at,
        origins={one: Behind(url, secrets.cdn(one)) for one, url in origins.items()},
        signing_keys=dict(secrets.signed_urls(name)) if signed else {},
        beat=ASKS_AFTER,
    )


def rendered(known: Settings, name: str, version: str) -> str:
    """The file's text. Raises ValueError with a sentence for people."""
    return render(node_config(known, name), version)


def configured_node(settings: NodeSettings) -> Node:
    """The node of the settings. ``{host}`` becomes the host of each request, so that
    in development a phone on the same network gets an address it can use."""
    host = settings.node_host or "{host}"
    return Node(
        name=settings.node_name,
        api_url=_url(settings.node_api_url, f"127.0.0.1:{settings.api_port}"),
        rtmp_url=f"rtmp://{host}:{settings.rtmp_port}",
        hls_url=_url(settings.node_hls_url, f"{host}:{settings.hls_port}"),
        webrtc_url=_url(settings.node_webrtc_url, f"{host}:{settings.webrtc_port}"),
        srt_url=f"srt://{host}:{settings.srt_port}",
        rtsp_url=f"rtsp://{host}:{settings.rtsp_port}",
        region=settings.node_region,
        weight=settings.node_weight,
        most_publishers=settings.node_publishers,
        most_readers=settings.node_readers,
        most_bits=settings.node_bits,
        sandbox=settings.node_sandbox,
    )


def _url(given: str, address: str) -> str:
    return given or f"http://{address}"
