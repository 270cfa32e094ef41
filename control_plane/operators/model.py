"""Operators' tokens: who may ask the service itself, and for what."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

#: ``read``: events. ``webhooks``: where they are sent.
Scope = Literal["read", "webhooks"]
SCOPES: tuple[Scope, ...] = ("read", "webhooks")
PREFIX = "cpo_"  # so that scanners for lost secrets know it


@dataclass(frozen=True, slots=True)
class OperatorToken:
    id: int
    name: str
    scopes: tuple[str, ...]
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime


def hash_token(token: str) -> bytes:
    """Plain: nobody guesses 256 random bits."""
    return hashlib.sha256(token.encode()).digest()
