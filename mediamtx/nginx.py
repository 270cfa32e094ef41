"""Writes the file of an nginx that stands in front of nodes and caches their HLS."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from string import Template
from urllib.parse import urlsplit

#: Empty: it is not ours; 0: it was.
CHECK = """\
        secure_link $sum,$expires;
        secure_link_md5 "$expires/$origin/$stream/ $key";
        if ($secure_link ~ "^0?$") {
            return 403;
        }"""


class _File(Template):
    delimiter = "%"


@dataclass(frozen=True)
class Behind:
    """A node: where its HLS is reached, and its ``hlsCDNSecret``."""

    url: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class CacheConfig:
    """``name`` and ``secret``: of this edge, for ``control_plane``, whose internal
    listener's address that is. ``signing_keys``: by name; with them it checks signed
    addresses instead of asking there. ``certificate``: a folder with ``fullchain.pem``
    and ``privkey.pem``; empty: no TLS. ``size``: of the files that are kept."""

    name: str
    secret: str = field(repr=False)
    control_plane: str
    origins: Mapping[str, Behind]
    signing_keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    listen: str = "80"
    certificate: str = ""
    folder: str = "/var/lib/nginx"
    logs: str = "/var/log/nginx"
    size: str = "1g"
    #: Seconds after which a viewer is asked about again.
    beat: int = 10


def render(config: CacheConfig) -> str:
    """The file's text. Raises ValueError with a sentence for people."""
    origins = config.origins.items()
    return _filled(
        "nginx.conf",
        _signed(config) if config.signing_keys else _asked(config),
        folder=config.folder,
        logs=config.logs,
        size=config.size,
        names="|".join(config.origins),
        upstreams="".join(_upstream(name, one.url) for name, one in origins),
        nodes=_map({name: f"http://node-{name}" for name, _ in origins}),
        secrets=_map({name: f'"Bearer {one.secret}"' for name, one in origins}),
        listen=_listen(config),
    )


def _asked(config: CacheConfig) -> dict[str, str]:
    """We are, who may watch."""
    basic = base64.b64encode(f"{config.name}:{config.secret}".encode()).decode()
    viewer = _filled(
        "nginx-asking.conf",
        {},
        beat=str(config.beat),
        name=config.name,
        basic=basic,
        control_plane=config.control_plane.rstrip("/"),
    )
    return {
        "token": r"(?<token>[\w.-]{1,512})",
        "check": "        auth_request /.viewer;",
        "viewer": viewer,
        "signing_keys": "",
    }


def _signed(config: CacheConfig) -> dict[str, str]:
    """The address says it."""
    names = "|".join(config.signing_keys)
    keys = f"\nmap $key_name $key {{\n{_map(config.signing_keys)}\n}}\n"
    return {
        "token": rf"(?<key_name>{names})\.(?<expires>\d{{1,10}})\.(?<sum>[\w-]{{22}})",
        "check": CHECK,
        "viewer": "",
        "signing_keys": keys,
    }


def _filled(file: str, some: Mapping[str, str], /, **more: str) -> str:
    text = files("mediamtx").joinpath(file).read_text("utf-8")
    return _File(text).substitute(some, **more)


def _upstream(name: str, url: str) -> str:
    """Raises ValueError with a sentence for people."""
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname is None or parts.path.strip("/"):
        raise ValueError(
            f"{url} is not where a node's HLS is reached, such as http://10.0.0.5:8888."
        )
    server = f"    server {parts.netloc.rpartition('@')[2]};\n    keepalive 16;\n"
    return f"upstream node-{name} {{\n{server}}}\n\n"


def _map(values: Mapping[str, str]) -> str:
    return "\n".join(f"    {name} {value};" for name, value in values.items())


def _listen(config: CacheConfig) -> str:
    if not config.certificate:
        return f"    listen {config.listen};"
    return (
        f"    listen {config.listen} ssl http2;\n"
        f"    ssl_certificate {config.certificate}/fullchain.pem;\n"
        f"    ssl_certificate_key {config.certificate}/privkey.pem;\n"
        "    ssl_protocols TLSv1.2 TLSv1.3;"
    )
