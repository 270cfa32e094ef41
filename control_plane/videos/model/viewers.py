"""Who is looking at videos."""

import hashlib
from dataclasses import dataclass

#: What a phone says about itself anybody can invent: of all that comes from one
#: address so many are told apart, and the rest are taken for one of those.
GUESTS_OF_ADDRESS = 256


_GUEST = "guest "


@dataclass(frozen=True, slots=True)
class Viewer:
    """A user, else a guest whom we know again, else nobody that could be
    remembered."""

    user_id: int = 0
    guest: str = ""

    @property
    def name(self) -> str:
        if self.user_id:
            return f"user {self.user_id}"
        return f"{_GUEST}{self.guest}" if self.guest else ""

    @property
    def is_guest(self) -> bool:
        return not self.user_id


def is_guest(name: str) -> bool:
    """Of a :attr:`Viewer.name`."""
    return name.startswith(_GUEST)


def guest_name(key: bytes, address: str, device: str) -> str:
    """Tells neither the address nor the phone to whoever does not have the key."""
    if not device:
        return ""
    digest = hashlib.blake2b(device.encode(), digest_size=8).digest()
    one = int.from_bytes(digest, "big") % GUESTS_OF_ADDRESS
    text = f"{address} {one}".encode()
    return hashlib.blake2b(text, key=key, digest_size=12).hexdigest()
