"""Requests that may be sent twice and count once."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from control_plane.base.refusals import BadInput, Refusal

LONGEST = 200  # characters
ANOTHER_REQUEST = "This Idempotency-Key was used for another request already."

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

#: How a request ended: a dataclass of plain values, kept as JSON.
Outcome = TypeVar("Outcome", bound="DataclassInstance")


@dataclass(frozen=True, slots=True)
class RequestKey:
    """The client's name for one request, and what that request said."""

    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """How a request ended, as it is kept. ``code`` 200: with the fields of its
    outcome; else it was refused with the sentence in them."""

    fingerprint: bytes
    code: int
    fields: dict[str, Any]


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


def done(key: RequestKey, outcome: "DataclassInstance") -> Stored:
    return Stored(key.fingerprint, 200, asdict(outcome))


def refused(key: RequestKey, refusal: Refusal) -> Stored:
    return Stored(key.fingerprint, refusal.code, {"refusal": refusal.sentence})


def replay(stored: Stored, key: RequestKey, kind: Callable[..., Outcome]) -> Outcome:
    """The first answer again, as a ``kind``. Raises it when it was a refusal."""
    if stored.fingerprint != key.fingerprint:
        raise Refusal(ANOTHER_REQUEST)
    if stored.code != 200:
        raise _refusal(stored)
    return kind(**stored.fields)


def _refusal(stored: Stored) -> Refusal:
    refusal = Refusal(str(stored.fields["refusal"]))
    refusal.code = stored.code
    return refusal
