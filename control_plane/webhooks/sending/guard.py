"""Where messages may go: not to our own networks."""

import errno
import socket
from collections.abc import Callable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Any

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: NAT64, and older ways of the same: the last four bytes are an IPv4 address.
_TRANSLATED = ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96")
TRANSLATED = tuple(map(ip_network, _TRANSLATED))
#: Nobody and this machine, which are no IPv4 addresses though they begin so.
UNTRANSLATED = (IPv6Address("::"), IPv6Address("::1"))


class Forbidden(OSError):
    """The address is private, and no setting allows it."""


class Guard:
    def __init__(self, allowed: str) -> None:
        """``allowed``: networks that may be reached although they are private, between
        blanks."""
        self._allowed: Sequence[Network] = [ip_network(n) for n in allowed.split()]

    def check(self, host: str) -> None:
        """Of an address that is about to be connected to. Raises Forbidden."""
        try:
            address = ip_address(host.partition("%")[0])
        except ValueError:
            # Systems also take 127.1 or 2130706433 for an address.
            sentence = f"{host} is not an address as it is written"
            raise Forbidden(errno.EACCES, sentence) from None
        if not all(self._may(one) for one in _meant(address)):
            raise Forbidden(errno.EACCES, f"{host} is not a public address")

    def _may(self, address: Address) -> bool:
        if any(address in network for network in self._allowed):
            return True
        # Python takes what was a site's own for global.
        if isinstance(address, IPv6Address) and address.is_site_local:
            return False
        return address.is_global and not address.is_multicast


def _meant(address: Address) -> list[Address]:
    """An address, or those that it stands for."""
    if isinstance(address, IPv4Address) or address in UNTRANSLATED:
        return [address]
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if any(address in network for network in TRANSLATED):
        found.append(IPv4Address(int(address) & 0xFFFF_FFFF))
    return [one for one in found if one is not None] or [address]


def sockets(guard: Guard) -> Callable[[Any], socket.socket]:
    """Makes each socket, for the very address that it will connect to, so whatever
    a name resolves to, and whenever."""

    def make(address: Any) -> socket.socket:
        family, kind, protocol, _, where = address
        guard.check(str(where[0]))
        return socket.socket(family, kind, protocol)

    return make
