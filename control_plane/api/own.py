"""The caller's own account beside what else a call answers."""

from control_plane.api import shapes
from control_plane.base.refusals import BadInput, Refusal
from control_plane.coins.model.idempotency import RequestKey, request_key
from control_plane.coins.service.ledger import Ledger
from control_plane.people.service.profiles import Profiles
from control_plane.web.body import Body, header
from control_plane.web.dispatch import Call, endpoint_name
from control_plane.web.snapshots import Json

NOBODY_ELSE = "You can only do this as yourself."


class OwnAccount:
    def __init__(self, profiles: Profiles, ledger: Ledger) -> None:
        self._profiles = profiles
        self._ledger = ledger

    async def shape(
        self, user_id: int, token: str, *, wallet: int | None = None
    ) -> Json:
        """User, PushNotification and PrivacySetting. ``wallet``: as a call left it;
        None: as it is now."""
        purse = await self._ledger.purse(user_id)
        shape = shapes.profile(
            await self._profiles.seen(user_id, user_id),
            user_id,
            own_token=token,
            wallet=purse.wallet if wallet is None else wallet,
            total_all_time_coins=purse.received,
        )
        return shapes.account(shape, user_id)

    async def of(self, call: Call, *, wallet: int | None = None) -> Json:
        return await self.shape(call.me.id, call.token, wallet=wallet)


def check_self(call: Call, field: str, refusal: str = NOBODY_ELSE) -> None:
    """The actor is whoever the token belongs to, whatever the body claims."""
    if call.body.id(field, 0) not in (0, call.me.id):
        raise Refusal(refusal)


def key(call: Call) -> RequestKey | None:
    """The client's name for this request, where it has one."""
    given = header(call.request, "Idempotency-Key")
    return request_key(given, endpoint_name(call.request.path), call.body.fields)


def live_name(body: Body) -> str:
    """Which live is meant: by its id, or by its channel."""
    for field in ("id", "live_streaming_id", "name", "channel_name"):
        if body.has(field):
            return body.text(field, longest=64)
    raise BadInput("id or name is missing.")
