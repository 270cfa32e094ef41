"""``/v1/bans``: of accounts, devices and ranges of addresses."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from control_plane.live.model import bans as model
from control_plane.live.service.moderation import NEWEST, Moderation
from control_plane.ops.acts import BanFor, Lifted, Out
from control_plane.ops.routes import (
    Because,
    Call,
    Nothing,
    Paged,
    Route,
    Text,
    id_in,
    page_of,
)

UserId = Annotated[int, Meta(ge=0, le=2_147_483_647)]


class BanQuery(Paged, kw_only=True):
    """``all``: those that are over too."""

    all: bool = False


class NewBan(BanFor, forbid_unknown_fields=True, kw_only=True):
    """One of the three. ``device``: as its app calls it. ``address``: or a range."""

    user_id: UserId = 0
    device: Text = ""
    address: Text = ""


class Lifting(Because, forbid_unknown_fields=True, kw_only=True):
    """Whom, as it was banned."""

    user_id: UserId = 0
    device: Text = ""
    address: Text = ""


class Ban(Struct, frozen=True, kw_only=True):
    """``by``: as in the audit log. ``ends_at``: null: when somebody lifts it."""

    id: int
    user_id: int
    device: str
    address: str
    reason: str
    by: str
    since: datetime
    ends_at: datetime | None
    ended_at: datetime | None


class BanPage(Struct, frozen=True):
    bans: list[Ban]
    next: str | None


class BansApi:
    def __init__(self, moderation: Moderation) -> None:
        self._moderation = moderation

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/v1/bans", "read", self.listing),
            Route("POST", "/v1/bans", "moderate", self.add),
            Route("POST", "/v1/bans/lift", "moderate", self.lift),
        ]

    async def listing(self, call: Call[BanQuery, Nothing]) -> BanPage:
        """List bans, the newest first."""
        asked = call.params
        found = await self._moderation.bans(
            asked.limit + 1,
            everything=asked.all,
            before=id_in(asked.after) or NEWEST,
        )
        following = page_of(found, asked.limit, lambda one: one.id)
        return BanPage([_row(one) for one in found], following)

    async def add(self, call: Call[Nothing, NewBan]) -> Out:
        """Ban a user, a device or a range of addresses: who is there is cut."""
        said = call.body
        whom = model.Banned(said.user_id, said.device, said.address)
        out = await self._moderation.ban(whom, said.reason, end=said.end)
        return Out(out)

    async def lift(self, call: Call[Nothing, Lifting]) -> Lifted:
        """Lift a ban."""
        said = call.body
        whom = model.Banned(said.user_id, said.device, said.address)
        return Lifted(await self._moderation.unban(whom))


def _row(one: model.Ban) -> Ban:
    return Ban(
        id=one.id,
        user_id=one.whom.user_id or 0,
        device=one.whom.device or "",
        address=one.whom.network or "",
        reason=one.reason,
        by=one.actor,
        since=one.created_at,
        ends_at=one.ends_at,
        ended_at=one.ended_at,
    )
