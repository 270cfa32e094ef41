"""``/v1``: whose token it is, and what operators did."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from msgspec import Struct

from control_plane.audit.model import Entry
from control_plane.audit.service import AuditLog
from control_plane.base.refusals import NoToken
from control_plane.ops.routes import Call, Nothing, Paged, Route, Text, id_in, page_of

NEWEST = 2**63 - 1


class Me(Struct, frozen=True):
    name: str
    scopes: tuple[str, ...]
    expires_at: datetime


class AuditQuery(Paged, kw_only=True):
    """``subject``: ``user/7``. ``actor``: ``operator:ann``. ``oldest``: comes first."""

    subject: Text = ""
    actor: Text = ""
    oldest: bool = False


class Told(Struct, frozen=True, kw_only=True):
    """``hash``: hexadecimal. ``request_id``: of the request that it was done by."""

    number: int
    at: datetime
    actor: str
    act: str
    subject: str
    reason: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    request_id: str
    hash: str


class AuditPage(Struct, frozen=True):
    entries: list[Told]
    next: str | None


class Chain(Struct, frozen=True):
    """``entries``: that are as they were written. ``hash``: of the last of them.
    ``broken``: the number of the first that is not, or is missing; 0: none."""

    entries: int
    hash: str
    broken: int


class RecordsApi:
    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/v1/me", "any", self.me),
            Route("GET", "/v1/audit", "admin", self.audit),
            Route("GET", "/v1/audit/verify", "admin", self.verify),
        ]

    async def me(self, call: Call[Nothing, Nothing]) -> Me:
        """Whose token this is, and what it opens."""
        if call.caller is None:
            raise NoToken
        return Me(call.caller.name, call.caller.scopes, call.caller.expires_at)

    async def audit(self, call: Call[AuditQuery, Nothing]) -> AuditPage:
        """Read what operators did, the newest first."""
        asked = call.params
        place = id_in(asked.after, NEWEST) or 0
        found = await self._audit.page(
            asked.limit + 1, place, asked.subject, asked.actor, oldest=asked.oldest
        )
        following = page_of(found, asked.limit, lambda one: one.number)
        return AuditPage([_told(one) for one in found], following)

    async def verify(self, call: Call[Nothing, Nothing]) -> Chain:
        """Follow the chain of all entries to its end."""
        found = await self._audit.verify()
        return Chain(found.entries, found.head.hex(), found.broken)


def _told(entry: Entry) -> Told:
    return Told(**asdict(entry) | {"hash": entry.hash.hex()})
