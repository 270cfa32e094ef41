"""``/v1``: what operators do about sessions, people and nodes."""

from datetime import datetime, timedelta
from typing import Annotated

from msgspec import Meta, Struct

from control_plane.base.refusals import BadInput, Refusal
from control_plane.live.model.bans import Banned
from control_plane.live.model.rights import Policy
from control_plane.live.model.sessions import LiveSession
from control_plane.live.service.broadcasts import Broadcasts
from control_plane.live.service.moderation import Moderation
from control_plane.live.service.nodes import Nodes
from control_plane.live.service.rights import Rights, Whom, watch_terms
from control_plane.ops.nodes import OneNode
from control_plane.ops.routes import Because, Call, One, Route, Text
from control_plane.people.service.accounts import Accounts

LONGEST_BAN = 100 * 366 * 24  # hours


class BanFor(Because, forbid_unknown_fields=True, kw_only=True):
    """``hours``: from now, by Postgres's clock, for whoever has another. ``ends_at``: a
    time instead. Neither: until it is lifted."""

    ends_at: Annotated[datetime, Meta(tz=True)] | None = None
    hours: Annotated[float, Meta(gt=0, le=LONGEST_BAN)] | None = None

    @property
    def end(self) -> datetime | timedelta | None:
        if self.ends_at is not None and self.hours is not None:
            raise BadInput("Say ends_at or hours.")
        return self.ends_at if self.hours is None else timedelta(hours=self.hours)


class NewPolicy(Because, forbid_unknown_fields=True, kw_only=True):
    """``ticket_price``: coins, for the policy ``paid``."""

    policy: Policy
    ticket_price: int = 0


class Unwanted(Because, forbid_unknown_fields=True, kw_only=True):
    """One of them: an account, or the viewer of a token, as events call it."""

    user_id: Annotated[int, Meta(ge=0, le=2_147_483_647)] = 0
    viewer: Text = ""


class Draining(Because, forbid_unknown_fields=True, kw_only=True):
    """``now``: its encoders are cut and kept out: their sessions go on elsewhere."""

    now: bool = False


class Watchable(Struct, frozen=True):
    policy: Policy
    ticket_price: int


class Out(Struct, frozen=True):
    """``out``: nobody publishes there any more; false: its node has not let go yet."""

    out: bool


class Lifted(Struct, frozen=True):
    """``changed``: false: there was no ban."""

    changed: bool


class Drained(Struct, frozen=True):
    name: str
    draining: bool


class ActsApi:
    def __init__(
        self,
        broadcasts: Broadcasts,
        moderation: Moderation,
        rights: Rights,
        nodes: Nodes,
        accounts: Accounts,
    ) -> None:
        self._broadcasts = broadcasts
        self._moderation = moderation
        self._rights = rights
        self._nodes = nodes
        self._accounts = accounts

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/v1/sessions/{id}/end", "moderate", self.end),
            Route("POST", "/v1/sessions/{id}/kick", "moderate", self.kick),
            Route("POST", "/v1/sessions/{id}/policy", "moderate", self.policy),
            Route("POST", "/v1/sessions/{id}/deny", "moderate", self.deny),
            Route("POST", "/v1/users/{id}/ban", "moderate", self.ban),
            Route("POST", "/v1/users/{id}/unban", "moderate", self.unban),
            Route("POST", "/v1/users/{id}/sign-out", "moderate", self.sign_out),
            Route("POST", "/v1/nodes/{name}/drain", "admin", self.drain),
            Route("POST", "/v1/nodes/{name}/activate", "admin", self.activate),
        ]

    async def end(self, call: Call[One, Because]) -> Out:
        """End a session as its host would, and cut its publisher."""
        session = await self._open(call.params.id)
        return Out(await self._broadcasts.end(session, "completed"))

    async def kick(self, call: Call[One, Because]) -> Out:
        """End a session as kicked; its encoder is kept out."""
        return Out(await self._moderation.kick(await self._open(call.params.id)))

    async def policy(self, call: Call[One, NewPolicy]) -> Watchable:
        """Say who may watch a session; who may not any more is cut."""
        terms = watch_terms(call.body.policy, call.body.ticket_price)
        session = await self._open(call.params.id)
        await self._rights.set_policy(0, session.id, terms)
        return Watchable(terms.policy, terms.ticket_price)

    async def deny(self, call: Call[One, Unwanted]) -> None:
        """Deny one viewer a session: cut, and not let in any more."""
        whom = Whom(call.body.user_id, call.body.viewer)
        if bool(whom.user_id) == bool(whom.viewer):
            raise BadInput("Say user_id or viewer.")
        session = await self._open(call.params.id)
        await self._rights.deny(0, session.id, whom)

    async def ban(self, call: Call[One, BanFor]) -> Out:
        """Ban a user: signs out, ends what is live, keeps out."""
        whom = Banned(call.params.id)
        out = await self._moderation.ban(whom, call.body.reason, end=call.body.end)
        return Out(out)

    async def unban(self, call: Call[One, Because]) -> Lifted:
        """Lift a ban."""
        whom = Banned(call.params.id)
        return Lifted(await self._moderation.unban(whom))

    async def sign_out(self, call: Call[One, Because]) -> None:
        """Sign a user out on every device."""
        await self._accounts.sign_out_everywhere(call.params.id)

    async def drain(self, call: Call[OneNode, Draining]) -> Drained:
        """No new sessions go to a node; the running ones stay, or move."""
        name, now = call.params.name, call.body.now
        await self._nodes.set_draining(name, draining=True, closed=now)
        return Drained(name, True)

    async def activate(self, call: Call[OneNode, Because]) -> Drained:
        """A node takes new sessions again."""
        await self._nodes.set_draining(call.params.name, draining=False)
        return Drained(call.params.name, False)

    async def _open(self, session_id: int) -> LiveSession:
        session = await self._broadcasts.get(session_id)
        if not session.is_open:
            raise Refusal("It is over already.")
        return session
