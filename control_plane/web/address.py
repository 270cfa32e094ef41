"""Whose address a request came from, behind proxies that we trust."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from aiohttp import web

Network = IPv4Network | IPv6Network

#: One customer of an IPv6 provider has at least a whole /64.
IPV6_CUSTOMER = 64
MOST_HOPS = 16  # of our own proxies
REMEMBERED = 4096  # addresses: each call asks three times about its own


class Addresses:
    def __init__(self, trusted: str) -> None:
        """``trusted``: addresses or networks of our own proxies, between blanks."""
        self._trusted = networks(trusted)
        self._ours = lru_cache(REMEMBERED)(self._is_ours)

    def of(self, request: web.Request) -> str:
        """The nearest address that is not one of our proxies'; what stands further
        left in X-Forwarded-For could be anybody's invention."""
        address = _parse(request.remote or "")
        hops = _hops(request) if self.through_proxy(request) else []
        while address is not None and self._ours(address) and hops:
            before = _parse(hops.pop().strip())
            if before is None:
                break
            address = before
        return "" if address is None else _customer(address)

    def through_proxy(self, request: web.Request) -> bool:
        address = _parse(request.remote or "")
        return address is not None and self._ours(address)

    def of_peer(self, peer: str) -> str:
        """Who connects; "" when it is one of our proxies, or has no address."""
        address = _parse(peer)
        if address is None or self._ours(address):
            return ""
        return _customer(address)

    def _is_ours(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._trusted)


def _hops(request: web.Request) -> list[str]:
    hops = ",".join(request.headers.getall("X-Forwarded-For", []))
    return hops.rsplit(",", MOST_HOPS)[-MOST_HOPS:]


def networks(text: str) -> Sequence[Network]:
    """Raises ValueError for what is no address or network."""
    return [ip_network(part) for part in text.split()]


@lru_cache(REMEMBERED)
def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _customer(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv6Address):
        return str(ip_network((address, IPV6_CUSTOMER), strict=False))
    return str(address)
