"""The address that a client reached us at: the URLs that it is given begin so."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from control_plane.web.address import Addresses

AUTHORITY = re.compile(
    r"(?:[\w.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?", re.A
)
SCHEMES = ("http", "https")


@dataclass(frozen=True, slots=True)
class Origin:
    """``url`` has no slash at its end; ``host`` no port."""

    url: str
    host: str


class Origins:
    def __init__(self, addresses: Addresses, public_url: str = "") -> None:
        """``public_url`` is everybody's; "" takes what each request came to."""
        self._addresses = addresses
        self._public = _public(public_url.rstrip("/")) if public_url else None

    def of(self, request: web.Request) -> Origin:
        if self._public is not None:
            return self._public
        forwarded = self._addresses.through_proxy(request)
        scheme = _forwarded(request, "proto").lower() if forwarded else ""
        authority = _forwarded(request, "host") if forwarded else ""
        return _origin(
            scheme if scheme in SCHEMES else request.scheme,
            _usable(authority) or _usable(_last(request, "Host")) or "localhost",
        )


def _public(url: str) -> Origin:
    parts = urlsplit(url)
    return Origin(url, _origin(parts.scheme, parts.netloc).host)


def _origin(scheme: str, authority: str) -> Origin:
    host, bracket, _ = authority.partition("]")
    if not bracket:
        host = authority.partition(":")[0]
    return Origin(f"{scheme}://{authority}", host + bracket)


def _usable(authority: str) -> str:
    return authority if AUTHORITY.fullmatch(authority) else ""


def _forwarded(request: web.Request, name: str) -> str:
    """As the proxy next to us wrote it: what stands further left could be anybody's
    invention."""
    return _last(request, f"X-Forwarded-{name}") or _parameter(request, name)


def _last(request: web.Request, header: str) -> str:
    values = request.headers.getall(header, [""])
    return values[-1].rpartition(",")[2].strip()


def _parameter(request: web.Request, name: str) -> str:
    """Of RFC 7239's ``Forwarded: for=192.0.2.1;proto=https;host="example.com"``."""
    for pair in _last(request, "Forwarded").split(";"):
        key, _, value = pair.partition("=")
        if key.strip().lower() == name:
            return value.strip().strip('"')
    return ""
