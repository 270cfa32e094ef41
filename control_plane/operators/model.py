"""Operators' tokens: who may ask the service itself, and for what."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

#: ``read``: sessions, people, nodes, events. ``moderate``: ending and banning.
#: ``keys``: stream keys. ``money``: gifts, purchases, payouts, the ledger. ``admin``:
#: nodes, webhooks, settings, tokens and the audit log. None includes another.
Scope = Literal["read", "moderate", "keys", "money", "admin"]
SCOPES: tuple[Scope, ...] = ("read", "moderate", "keys", "money", "admin")
PREFIX = "cpo_"  # so that scanners for lost secrets know it
LONGEST = timedelta(days=366)  # that a token counts


@dataclass(frozen=True, slots=True)
class OperatorToken:
    id: int
    name: str
    scopes: tuple[str, ...]
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime


def hash_token(token: str) -> bytes:
    """Plain: nobody guesses 256 random bits. Anything may stand in a header."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
