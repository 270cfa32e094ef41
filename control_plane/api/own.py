"""The caller's own account beside what else a call answers."""

from control_plane.api import shapes
from control_plane.model.idempotency import RequestKey, request_key
from control_plane.model.refusals import Refusal
from control_plane.service.profiles import Profiles
from control_plane.web.dispatch import Call, endpoint_name
from control_plane.web.snapshots import Json


async def account(call: Call, profiles: Profiles, wallet: int) -> Json:
    """User, PushNotification and PrivacySetting, with the wallet as it was left."""
    me = call.me.id
    shape = shapes.profile(
        await profiles.seen(me, me),
        me,
        own_token=call.token,
        wallet=wallet,
        total_all_time_coins=(await profiles.coins(me)).received,
    )
    return shapes.account(shape, me)


def check_self(call: Call, field: str, refusal: str) -> None:
    """The actor is whoever the token belongs to, whatever the body claims."""
    if call.body.id(field, 0) not in (0, call.me.id):
        raise Refusal(refusal)


def key(call: Call) -> RequestKey | None:
    """The client's name for this request, where it has one."""
    given = call.request.headers.get("Idempotency-Key", "").strip()
    return request_key(given, endpoint_name(call.request.path), call.body.fields)
