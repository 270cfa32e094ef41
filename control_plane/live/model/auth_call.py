"""What MediaMTX sends with an auth call, of any version (docs/mediamtx.md)."""

import msgspec
from msgspec import UNSET, UnsetType


class AuthCall(msgspec.Struct, frozen=True, gc=False):
    """Unknown fields do not matter; a known one of another type is no auth call."""

    action: str = ""
    path: str = ""
    protocol: str = ""
    ip: str = ""
    id: str | None = None
    query: str = ""
    user: str = ""
    password: str = ""
    token: str | UnsetType = UNSET  # not sent before v1.12.3


_decoder = msgspec.json.Decoder(AuthCall)


def read(body: bytes) -> AuthCall | None:
    """None for what no MediaMTX sends."""
    try:
        return _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
