"""Sign-in and profiles."""

from aiohttp import web

from control_plane.api import shapes
from control_plane.model.refusals import BadInput, NoToken, Refusal, SignedOut
from control_plane.model.users import NewUser, User
from control_plane.service.accounts import Accounts, Identity
from control_plane.service.profiles import Profiles
from control_plane.web.body import Body
from control_plane.web.dispatch import Call, Endpoint
from control_plane.web.envelope import answer

UNKNOWN = "EMPTY: NO RECORD IN THE DATABASE"
PROVIDERS = frozenset({"google", "facebook", "apple", "firebase", "email", "phone"})


class AccountsApi:
    def __init__(
        self, accounts: Accounts, profiles: Profiles, *, unverified_allowed: bool
    ) -> None:
        self._accounts = accounts
        self._profiles = profiles
        self._unverified_allowed = unverified_allowed

    def endpoints(self) -> dict[str, Endpoint]:
        return {
            "registerUser": Endpoint(self.register_user, "none", limit="sign_in"),
            "showUserDetail": Endpoint(self.show_user_detail, "optional"),
        }

    async def register_user(self, call: Call) -> web.Response:
        identity = self._identity(call.body)
        signed_in = await self._accounts.sign_in(identity, _new_user(call.body))
        shape = shapes.user(signed_in.user, own_token=signed_in.token)
        return answer(shapes.account(shape, signed_in.user.id))

    async def show_user_detail(self, call: Call) -> web.Response:
        other = await self._other(call)
        if other is not None:
            shape = shapes.user(other)
            return answer(shapes.account(shape, other.id))
        if call.user is None:
            raise NoToken if not call.token else SignedOut
        token = self._accounts.renewed(call.user, call.token)
        shape = shapes.user(call.user, own_token=token)
        return answer(shapes.account(shape, call.user.id))

    async def _other(self, call: Call) -> User | None:
        """Whom the call is about, unless that is the caller."""
        body, me = call.body, call.user
        user_id = body.id("other_user_id", 0)
        if not user_id and body.has("username"):
            found = await self._profiles.by_username(body.text("username"))
        else:
            user_id = user_id or body.id("user_id", 0)
            if not user_id or (me is not None and me.id == user_id):
                return None
            found = await self._profiles.get(user_id)
        if found is None or found.deleted_at is not None:
            raise Refusal(UNKNOWN)
        return None if me is not None and me.id == found.id else found

    def _identity(self, body: Body) -> Identity:
        """By provider and social id, or by the apps' ``auth_token`` form, which
        carries a Firebase uid."""
        provider = body.text("social", longest=32).lower()
        subject = body.text("social_id", longest=256)
        if not subject and body.has("auth_token"):
            provider, subject = "firebase", body.text("auth_token", longest=256)
        if not subject:
            raise BadInput("social and social_id, or auth_token, are missing.")
        if provider not in PROVIDERS:
            raise BadInput("social must be google, facebook, apple or firebase.")
        if not self._unverified_allowed:
            raise Refusal(f"Sign-in with {provider} is not set up on this server.")
        return Identity(provider, subject, verified=False)


def _new_user(body: Body) -> NewUser:
    return NewUser(
        username=body.text("username", longest=30),
        first_name=body.text("first_name", longest=100),
        last_name=body.text("last_name", longest=100),
        email=body.text("email", longest=254),
        phone=body.text("phone", longest=32),
        dob=body.text("dob", longest=10),
        profile_pic=body.text("profile_pic", longest=2000),
        device_token=body.text("device_token", longest=512),
    )
