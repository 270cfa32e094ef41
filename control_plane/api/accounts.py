"""Sign-in and sign-out, profiles, and the end of an account."""

from aiohttp import web

from control_plane.api import shapes
from control_plane.api.changes import device_change, flag, new_user, profile_change
from control_plane.api.identities import Identities
from control_plane.api.own import OwnAccount, check_self
from control_plane.base.refusals import Empty, NoToken, SignedOut
from control_plane.people.model.users import Profile
from control_plane.people.service.accounts import Accounts, Identity
from control_plane.people.service.deletion import Deletion
from control_plane.people.service.profiles import Profiles
from control_plane.web.dispatch import Call, Endpoint
from control_plane.web.envelope import answer
from control_plane.web.snapshots import Json


class AccountsApi:
    def __init__(
        self,
        accounts: Accounts,
        profiles: Profiles,
        own_account: OwnAccount,
        deletion: Deletion,
        identities: Identities,
    ) -> None:
        self._accounts = accounts
        self._profiles = profiles
        self._own = own_account
        self._deletion = deletion
        self._identities = identities

    def endpoints(self) -> dict[str, Endpoint]:
        return {
            "registerUser": Endpoint(self.register_user, "none", limit="sign_in"),
            "showUserDetail": Endpoint(self.show_user_detail, "optional"),
            "editProfile": Endpoint(self.edit_profile),
            "addDeviceData": Endpoint(self.add_device_data),
            "deleteUserAccount": Endpoint(self.delete_user_account),
            "logout": Endpoint(self.logout),
            "checkUsername": Endpoint(self.check_username, "optional", limit="sign_in"),
            "checkEmail": Endpoint(self.check_email, "optional", limit="sign_in"),
            "checkPhoneNo": Endpoint(self.check_phone, "optional", limit="sign_in"),
            "checkPhone": Endpoint(self.check_phone, "optional", limit="sign_in"),
        }

    async def register_user(self, call: Call) -> web.Response:
        identities, new = await self._identities.read(call, new_user(call))
        signed_in = await self._accounts.sign_in(identities, new)
        return await self._account(signed_in.user.id, signed_in.token)

    async def show_user_detail(self, call: Call) -> web.Response:
        viewer = 0 if call.user is None else call.user.id
        other = await self._other(call, viewer)
        if other is not None:
            shape = shapes.profile(other, viewer)
            return answer(shapes.account(shape, other.user.id))
        if call.user is None:
            return await self._sign_in_again(call)
        token = self._accounts.renewed(call.user, call.token)
        return await self._account(viewer, token)

    async def _sign_in_again(self, call: Call) -> web.Response:
        """Both apps ask this way whether there is an account: with an ID token of the
        provider's they get our token, or go on to their sign-up."""
        claims = await self._identities.proven(call)
        if claims is None:
            raise self._unknown(call.token)
        identity = Identity(claims.provider, claims.subject, verified=True)
        signed_in = await self._accounts.known(identity)
        return await self._account(signed_in.user.id, signed_in.token)

    async def edit_profile(self, call: Call) -> web.Response:
        check_self(call, "user_id")
        await self._profiles.change(call.me, profile_change(call))
        return await self._account(call.me.id, call.token)

    async def add_device_data(self, call: Call) -> web.Response:
        check_self(call, "user_id")
        await self._profiles.change(call.me, device_change(call.body))
        return await self._account(call.me.id, call.token)

    async def delete_user_account(self, call: Call) -> web.Response:
        check_self(call, "user_id")
        await self._deletion.delete(call.me.id)
        return answer("deleted")

    async def logout(self, call: Call) -> web.Response:
        """This phone, or with ``everywhere`` (or ``all_devices``) every one."""
        check_self(call, "user_id")
        if flag(call.body, "everywhere") or flag(call.body, "all_devices"):
            await self._accounts.sign_out_everywhere(call.me.id)
        else:
            await self._accounts.sign_out(call.me, call.token)
        return answer("success")

    async def check_username(self, call: Call) -> web.Response:
        """One's own name is free to keep."""
        me = 0 if call.user is None else call.user.id
        await self._profiles.check_username(call.body.required("username", 100), me)
        return answer("do not exist")

    async def check_email(self, call: Call) -> web.Response:
        await self._profiles.check_email(call.body.required("email", 254))
        return answer("register")

    async def check_phone(self, call: Call) -> web.Response:
        """200: nobody has it."""
        await self._profiles.check_phone(call.body.required("phone", 32))
        return answer("This phone number is not registered.")

    async def _account(self, user_id: int, token: str) -> web.Response:
        """The Android app keeps this answer as its whole account: the token must be
        in it."""
        beside: Json = {"Card": [], "DeliveryAddress": []}
        return answer(await self._own.shape(user_id, token) | beside)

    async def _other(self, call: Call, viewer: int) -> Profile | None:
        """Whom the call is about; None: the caller."""
        body = call.body
        user_id = body.id("other_user_id", 0)
        if not user_id and body.has("username"):
            found = await self._profiles.named(viewer, body.text("username"))
            return None if found.user.id == viewer else found
        user_id = user_id or body.id("user_id", 0)
        if user_id in (0, viewer):
            return None
        return await self._profiles.seen(viewer, user_id)

    def _unknown(self, token: str) -> Exception:
        """Before its first sign-up the Android app asks with a Firebase uid, and
        signs up only after 201; 501 would sign it out of Firebase."""
        if not token:
            return NoToken()
        return SignedOut() if self._accounts.is_ours(token) else Empty()
