"""The audit log: what operators do, and what the service does by itself."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

#: ``operator``: by a token. ``command``: on the command line beside the database.
#: ``service``: by itself, a deadline for example.
ActorKind = Literal["operator", "command", "service"]
#: The hash before the first entry.
FIRST = bytes(32)


@dataclass(frozen=True, slots=True)
class Actor:
    kind: ActorKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


#: What ends because its time is over.
DEADLINE = Actor("service", "deadline")


@dataclass(frozen=True, slots=True)
class Entry:
    """``number``: 1, 2, 3 … without a gap. ``subject``: ``user/7``, for example.
    ``hash``: of the entry before and of all that this one says."""

    number: int
    at: datetime
    actor: str
    act: str
    subject: str
    reason: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    request_id: str
    hash: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain ended when the last entry was written."""

    number: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Sealed:
    """An entry as it is hashed."""

    number: int
    text: str
    hash: bytes


@dataclass(frozen=True, slots=True)
class Verified:
    """``broken``: the number of the first entry that is not what was written, or that
    is missing; 0: all is right. ``head``: the last right one's hash."""

    entries: int
    head: bytes
    broken: int


def closed(found: Verified, head: Head) -> Verified:
    """The whole chain that was followed, held against where it should end."""
    if found.broken or (found.entries, found.head) == (head.number, head.hash):
        return found
    return Verified(found.entries, found.head, found.entries + 1)


def follow(so_far: Verified, entry: Sealed) -> Verified:
    """One link more."""
    if so_far.broken:
        return so_far
    expected = so_far.entries + 1
    wanted = hashlib.sha256(so_far.head + entry.text.encode()).digest()
    if entry.number != expected or entry.hash != wanted:
        return Verified(so_far.entries, so_far.head, expected)
    return Verified(expected, entry.hash, 0)
