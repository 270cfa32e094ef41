"""Bans: of an account, of a device, or of a range of addresses."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from control_plane.base.tokens import ViewerToken
from control_plane.live.model.viewers import IPV6_CUSTOMER

LONGEST_DEVICE = 128  # characters
NOT_HERE = "You can't do this from this device or network. Contact support"
#: A slip of the finger must not ban half of the world: at least so many bits.
SHORTEST_PREFIX: Mapping[int, int] = {4: 8, 6: 16}
FOR_EVER = float("inf")


@dataclass(frozen=True, slots=True)
class Banned:
    """One of the three. ``device``: as its app calls it. ``network``: a range, or one
    address, as :func:`network` writes it."""

    user_id: int = 0
    device: str = ""
    network: str = ""


@dataclass(frozen=True, slots=True)
class Client:
    """Whoever asks. ``device``: as its app calls it; empty: not known."""

    device: str = ""
    address: str = ""


NO_CLIENT = Client()


@dataclass(frozen=True, slots=True)
class Ban:
    id: int
    whom: Banned
    reason: str
    actor: str
    created_at: datetime
    ends_at: datetime | None  # None: when somebody lifts it
    ended_at: datetime | None


def mark(device: str) -> str:
    """What stands in tokens and beside keys instead of a device's id; "" for none."""
    if not device:
        return ""
    return b64encode(blake2b(device.encode(), digest_size=9).digest()).decode()


def network(text: str) -> str:
    """In the one way to write it. One address of IPv6 is all of its customer's. Raises
    ValueError, also for too wide a range."""
    found = _network(text)
    if isinstance(found, IPv6Network):
        if found.network_address.ipv4_mapped is not None:
            raise ValueError(text)
        if "/" not in text:
            found = found.supernet(new_prefix=IPV6_CUSTOMER)
    if found.prefixlen < SHORTEST_PREFIX[found.version]:
        raise ValueError(text)
    return str(found)


def _network(text: str) -> IPv4Network | IPv6Network:
    if "/" in text:
        return ip_network(text, strict=False)
    return ip_network(_address(text))


def _address(text: str) -> IPv4Address | IPv6Address:
    """Raises ValueError."""
    address = ip_address(text.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


class BanList:
    """Those that count now, to be asked about everybody who comes."""

    def __init__(self, bans: Iterable[Ban] = ()) -> None:
        self._users: dict[int, float] = {}
        self._devices: dict[str, float] = {}
        #: By version and length, then by the bits.
        self._networks: dict[tuple[int, int], dict[int, float]] = {}
        for ban in bans:
            ends = FOR_EVER if ban.ends_at is None else ban.ends_at.timestamp()
            self._add(ban.whom, ends)

    @classmethod
    def of(cls, whom: Banned) -> "BanList":
        """One alone."""
        found = cls()
        found._add(whom, FOR_EVER)
        return found

    def covers(self, address: str, token: ViewerToken | None, now: float) -> bool:
        """Whoever watches from there, with this token."""
        if token is not None and (
            self.has_user(token.user_id, now) or self.has_device(token.device, now)
        ):
            return True
        return self.has_address(address, now)

    def has_user(self, user_id: int, now: float) -> bool:
        return self._users.get(user_id, 0.0) > now

    def has_device(self, mark: str, now: float) -> bool:
        return self._devices.get(mark, 0.0) > now

    def has_address(self, text: str, now: float) -> bool:
        """False also for what is no address."""
        if not self._networks:
            return False
        try:
            address = _address(text)
        except ValueError:
            return False
        bits, version = int(address), address.version
        return any(
            ends.get(bits >> (address.max_prefixlen - length), 0.0) > now
            for (of, length), ends in self._networks.items()
            if of == version
        )

    def _add(self, whom: Banned, ends: float) -> None:
        if whom.user_id:
            self._users[whom.user_id] = ends
        elif whom.device:
            self._devices[mark(whom.device)] = ends
        else:
            found = _network(whom.network)
            unused = found.max_prefixlen - found.prefixlen
            alike = self._networks.setdefault((found.version, found.prefixlen), {})
            alike[int(found.network_address) >> unused] = ends
