"""``/v1``: whose token it is, and what operators did."""

from datetime import datetime

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
    """``subject``: ``user/7``. ``actor``: ``operator:ann``."""

    subject: Text = ""
    actor: Text = ""


class AuditPage(Struct, frozen=True):
    entries: list[Entry]
    next: str | None


class RecordsApi:
    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/v1/me", "any", self.me),
            Route("GET", "/v1/audit", "admin", self.audit),
        ]

    async def me(self, call: Call[Nothing, Nothing]) -> Me:
        """Whose token this is, and what it opens."""
        if call.caller is None:
            raise NoToken
        return Me(call.caller.name, call.caller.scopes, call.caller.expires_at)

    async def audit(self, call: Call[AuditQuery, Nothing]) -> AuditPage:
        """Read what operators did, the newest first."""
        asked = call.params
        before = id_in(asked.after, NEWEST) or 0
        found = await self._audit.page(
            asked.limit + 1, before, asked.subject, asked.actor
        )
        following = page_of(found, asked.limit, lambda one: one.number)
        return AuditPage(found, following)
