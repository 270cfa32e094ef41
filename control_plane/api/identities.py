"""How somebody says who they are at registerUser."""

from dataclasses import replace

from control_plane.base.refusals import BadInput, Refusal
from control_plane.people.model.users import NewUser
from control_plane.people.service.accounts import Identity
from control_plane.people.service.sign_in import LONGEST, IdTokens, is_id_token
from control_plane.web.body import Body
from control_plane.web.dispatch import Call

PROVIDERS = frozenset({"google", "facebook", "apple", "firebase", "email", "phone"})


class Identities:
    def __init__(self, id_tokens: IdTokens, *, unverified_allowed: bool) -> None:
        self._id_tokens = id_tokens
        self._unverified_allowed = unverified_allowed

    async def read(self, call: Call, new: NewUser) -> tuple[Identity, NewUser]:
        """A provider's ID token counts before anything else that is said, and what
        it says about e-mail and phone before what the app says."""
        token = _id_token(call)
        if not token:
            return self._unverified(call.body), new
        claims = await self._id_tokens.verify(token)
        identity = Identity(claims.provider, claims.subject, verified=True)
        return identity, replace(
            new, email=claims.email or new.email, phone=claims.phone or new.phone
        )

    def _unverified(self, body: Body) -> Identity:
        """By provider and social id, or by the apps' ``auth_token`` form, which
        carries a Firebase uid. For development."""
        provider = body.text("social", longest=32).lower()
        subject = body.text("social_id", longest=256)
        if not subject and body.has("auth_token"):
            provider, subject = "firebase", body.text("auth_token", longest=256)
        if not subject:
            raise BadInput("social and social_id, or auth_token, are missing.")
        if provider not in PROVIDERS:
            raise BadInput("social must be google, facebook, apple or firebase.")
        if self._unverified_allowed:
            return Identity(provider, subject, verified=False)
        if self._id_tokens.configured:
            raise Refusal("Please sign in with the ID token of your provider.")
        raise Refusal(f"Sign-in with {provider} is not set up on this server.")


def _id_token(call: Call) -> str:
    """In the body as ``id_token`` or ``auth_token``, or in the Auth-Token header."""
    for name in ("id_token", "auth_token"):
        value = call.body.fields.get(name)
        if isinstance(value, str) and is_id_token(value.strip()):
            return value.strip()
    if call.body.has("id_token"):
        call.body.text("id_token", longest=LONGEST)
        raise Refusal("token invalid")
    header = call.request.headers.get("Auth-Token", "").strip()
    return header if is_id_token(header) else ""
