"""Requests that may be sent twice and count once."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from control_plane.base.refusals import BadInput, Refusal

LONGEST = 200  # characters
ANOTHER_REQUEST = "This Idempotency-Key was used for another request already."

Outcome = dict[str, object]


@dataclass(frozen=True, slots=True)
class RequestKey:
    """The client's name for one request, and what that request said."""

    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """How a request ended. ``code`` 200: with ``outcome``; else it was refused with
    the sentence in it."""

    fingerprint: bytes
    code: int
    outcome: Outcome


def request_key(
    key: str, endpoint: str, fields: Mapping[str, object]
) -> RequestKey | None:
    """None without a key. A token in the body may be a renewed one; it says nothing
    about what is asked for."""
    if not key:
        return None
    if len(key) > LONGEST or not key.isascii() or not key.isprintable():
        raise BadInput("Idempotency-Key must be 1 to 200 plain characters.")
    said = {name: value for name, value in fields.items() if name != "auth_token"}
    text = json.dumps([endpoint.lower(), said], sort_keys=True)
    return RequestKey(key, hashlib.sha256(text.encode()).digest())


def refused(fingerprint: bytes, refusal: Refusal) -> Stored:
    return Stored(fingerprint, refusal.code, {"refusal": refusal.sentence})


def replay(stored: Stored, key: RequestKey) -> Outcome:
    """The first answer again. Raises it when it was a refusal."""
    if stored.fingerprint != key.fingerprint:
        raise Refusal(ANOTHER_REQUEST)
    if stored.code != 200:
        raise _refusal(stored)
    return stored.outcome


def _refusal(stored: Stored) -> Refusal:
    refusal = Refusal(str(stored.outcome["refusal"]))
    refusal.code = stored.code
    return refusal
