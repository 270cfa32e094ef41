"""Writes ``mediamtx.yml`` for a node and a server version.

Names of settings change between versions, and a server stops at one that it does not
know; so each file is written for one version.
"""

import ipaddress
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

OLDEST = (1, 3, 0)
#: Where names changed.
HTTP_AUTH = (1, 6, 0)
ALLOW_ORIGIN = (1, 8, 0)
RTSP_TRANSPORTS = (1, 11, 0)
ALLOW_ORIGINS = (1, 15, 4)
CDN_SECRET = (1, 18, 1)
MOQ = (1, 19, 0)
ONLINE = (1, 19, 3)

PATHS = "~^live/[A-Za-z0-9_-]+$"
PULLED = "~^{origin}/(live/[A-Za-z0-9_-]+)$"

HEADER = """\
# Written by `control-plane mediamtx-config` for MediaMTX {version}.
# It holds this node's secret: keep it readable by the server's user only (mode 0600).
# Changes made here are lost when it is written again.
"""
OPEN_API = """\
# Before v1.6.0 MediaMTX asks nobody who may use its API, and whoever reaches it can run
# commands as the server's user. It listens on loopback only: let no other user, no
# browser and no container that shares this network run on this machine.
"""

NO_CACHE = """\
# This version has no hlsCDNSecret: no cache can stand in front of it.
"""

Version = tuple[int, int, int]
Settings = dict[str, Any]


@dataclass(frozen=True)
class NodeConfig:
    """What the server of one node is told. Addresses are ``host:port``; empty = off.

    ``auth_url`` holds the node's name and secret as Basic userinfo; ``hook_url`` holds
    no secret, since it shows in the process list. ``hook_command`` is the absolute
    path of ``notify.sh``; without it the server starts no command.
    ``webrtc_hosts``: addresses under which viewers reach this server, if it stands
    behind NAT. ``cdn_secret``: of the caches in front of it, if there are any.
    ``origins``: an edge's, by name, the RTSP URL before the path; it takes no encoder,
    and gets what somebody watches there with the token ``pull``.
    """

    auth_url: str = field(repr=False)
    hook_url: str = ""
    hook_command: str | None = None
    rtmp: str = ":1935"
    hls: str = ":8888"
    webrtc: str = ":8889"
    webrtc_udp: str = ":8189"
    srt: str = ":8890"
    rtsp: str = ":8554"
    api: str = "127.0.0.1:9997"
    metrics: str = ""
    trusted_proxies: tuple[str, ...] = ()
    webrtc_hosts: tuple[str, ...] = ()
    hls_segment: float = 1.0  # seconds
    cdn_secret: str = field(default="", repr=False)
    origins: Mapping[str, str] = field(default_factory=dict)
    pull: str = field(default="", repr=False)


def render(config: NodeConfig, version: str = "v1.20.1") -> str:
    """The text of ``mediamtx.yml``. Raises ValueError with a sentence for people."""
    parsed = parse_version(version)
    _refuse_open_servers(config, parsed)
    settings = (
        {"logLevel": "info", "readTimeout": "10s", "writeTimeout": "10s"}
        | _auth(config, parsed)
        | _closed("api", config.api, parsed)
        | _closed("metrics", config.metrics, parsed)
        | _rtsp(config, parsed)
        | _rtmp_and_srt(config)
        | _hls(config, parsed)
        | _webrtc(config)
        # On by default since it exists, with ports and certificates of its own.
        | ({"moq": False} if parsed >= MOQ else {})
        | _paths(config, parsed)
    )
    header = HEADER.format(version="v" + ".".join(map(str, parsed)))
    if parsed < HTTP_AUTH:
        header += OPEN_API
    if config.cdn_secret and parsed < CDN_SECRET:
        header += NO_CACHE
    # Wide, so that no command is broken over two lines.
    return header + yaml.safe_dump(settings, sort_keys=False, width=1000)


def parse_version(version: str) -> Version:
    """``v1.20.1`` or ``1.20.1`` as numbers. Raises ValueError with a sentence."""
    match = re.fullmatch(r"v?(\d{1,4})\.(\d{1,4})\.(\d{1,4})", version)
    if match is None:
        raise ValueError(f"{version!r} is no MediaMTX version such as v1.20.1.")
    major, minor, patch = (int(part) for part in match.groups())
    if not OLDEST <= (major, minor, patch) < (2, 0, 0):
        raise ValueError(f"MediaMTX {version} is not supported: v1.3.0 to v1.x are.")
    return major, minor, patch


def _refuse_open_servers(config: NodeConfig, version: Version) -> None:
    for name, address in (("API", config.api), ("metrics", config.metrics)):
        if version < HTTP_AUTH and address and not _is_loopback(address):
            raise ValueError(
                f"Before v1.6.0 MediaMTX lets everyone use its {name}:"
                f" bind it to loopback instead of {address}."
            )


def _is_loopback(address: str) -> bool:
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _auth(config: NodeConfig, version: Version) -> Settings:
    if version < HTTP_AUTH:
        return {"externalAuthenticationURL": config.auth_url}
    return {
        "authMethod": "http",
        "authHTTPAddress": config.auth_url,
        # Always written: before v1.20.1 it holds api, metrics and pprof by default, and
        # whoever uses the API runs commands as the server's user.
        "authHTTPExclude": [],
    }


def _closed(name: str, address: str, version: Version) -> Settings:
    """A server for programs: no web page may read what it answers. By default every
    page may."""
    settings = _server(name, address)
    if not address or version < ALLOW_ORIGIN:
        return settings
    if version < ALLOW_ORIGINS:
        return settings | {f"{name}AllowOrigin": ""}
    return settings | {f"{name}AllowOrigins": []}


def _rtsp(config: NodeConfig, version: Version) -> Settings:
    new = version >= RTSP_TRANSPORTS
    if not config.rtsp:
        return {"rtsp": False}
    return _server("rtsp", config.rtsp) | {
        "rtspTransports" if new else "protocols": ["tcp"],
        # Digest hides the password from the auth endpoint, and is refused with it.
        "rtspAuthMethods" if version >= HTTP_AUTH else "authMethods": ["basic"],
    }


def _rtmp_and_srt(config: NodeConfig) -> Settings:
    return _server("rtmp", config.rtmp) | _server("srt", config.srt)


def _hls(config: NodeConfig, version: Version) -> Settings:
    if not config.hls:
        return {"hls": False}
    settings = _server("hls", config.hls) | {
        # Plain fragmented MP4: low latency asks five times as often.
        "hlsVariant": "fmp4",
        # Segments are made from the first second on. Otherwise each broadcast's first
        # viewer waits some 3 s; copying costs little processor and a few MB a stream.
        "hlsAlwaysRemux": True,
        "hlsSegmentDuration": f"{config.hls_segment:g}s",
        "hlsTrustedProxies": list(config.trusted_proxies),
    }
    if config.cdn_secret and version >= CDN_SECRET:
        settings["hlsCDNSecret"] = config.cdn_secret
    return settings


def _webrtc(config: NodeConfig) -> Settings:
    if not config.webrtc:
        return {"webrtc": False}
    return _server("webrtc", config.webrtc) | {
        "webrtcLocalUDPAddress": config.webrtc_udp,
        "webrtcLocalTCPAddress": "",
        "webrtcAdditionalHosts": list(config.webrtc_hosts),
        "webrtcTrustedProxies": list(config.trusted_proxies),
    }


def _paths(config: NodeConfig, version: Version) -> Settings:
    if not config.origins:
        return {"pathDefaults": _path_defaults(config, version), "paths": {PATHS: {}}}
    return {
        "paths": {
            PULLED.format(origin=re.escape(name)): {
                # In the query: a password is sent only to servers that ask for one.
                "source": f"{url}/$G1?token={config.pull}",
                "sourceOnDemand": True,
                "rtspTransport": "tcp",
            }
            for name, url in config.origins.items()
        }
    }


def _path_defaults(config: NodeConfig, version: Version) -> Settings:
    # The last encoder with a valid key wins: a phone that changes its network.
    settings: Settings = {"overridePublisher": True}
    if config.hook_command is None:
        return settings
    start, end = (
        ("runOnOnline", "runOnOffline")
        if version >= ONLINE
        else ("runOnReady", "runOnNotReady")
    )
    return settings | {start: _hook(config, "ready"), end: _hook(config, "not_ready")}


def _hook(config: NodeConfig, event: str) -> str:
    command = shlex.join([config.hook_command or "", event, config.hook_url])
    if "$" in command:
        raise ValueError(f"MediaMTX would replace the $ in its command {command}.")
    return command


def _server(name: str, address: str) -> Settings:
    return {name: True, f"{name}Address": address} if address else {name: False}
