"""How somebody says who they are at registerUser."""

from dataclasses import replace

from control_plane.base.refusals import BadInput, Refusal
from control_plane.people.model.providers import Claims
from control_plane.people.model.users import NewUser
from control_plane.people.service.accounts import Identity
from control_plane.people.service.sign_in import LONGEST, IdTokens, is_id_token
from control_plane.web.body import Body
from control_plane.web.dispatch import Call

PROVIDERS = frozenset({"google", "facebook", "apple", "firebase", "email", "phone"})
#: What signed-out apps send for nothing.
NOTHING = ("", "0", "null")


class Identities:
    def __init__(self, id_tokens: IdTokens, *, unverified_allowed: bool) -> None:
        self._id_tokens = id_tokens
        self._unverified_allowed = unverified_allowed

    async def read(self, call: Call, new: NewUser) -> tuple[list[Identity], NewUser]:
        """The first one says whose account it is, the other one leads there too. A
        provider's ID token counts before anything else that is said, and what it says
        about e-mail and phone before what the app says."""
        claims = await self.proven(call)
        if claims is None:
            return self._unverified(call.body), new
        first = Identity(claims.provider, claims.subject, verified=True)
        email = claims.email or new.email or claims.unproven_email
        return [first, *self._second(call.body, claims)], replace(
            new, email=email, phone=claims.phone or new.phone
        )

    async def proven(self, call: Call) -> Claims | None:
        """What a provider has signed; None: the call carries no ID token."""
        token = _id_token(call)
        return await self._id_tokens.verify(token) if token else None

    def _second(self, body: Body, claims: Claims) -> list[Identity]:
        """The social id beside the token: where the token says so too, or in
        development."""
        social = _social(body)
        if social is None or social[0] not in PROVIDERS:
            return []
        if social == (claims.provider, claims.subject):
            return []
        verified = social in claims.linked
        if not verified and not self._unverified_allowed:
            return []
        return [Identity(*social, verified=verified)]

    def _unverified(self, body: Body) -> list[Identity]:
        """The apps' ``auth_token`` form, which carries a Firebase uid and is what they
        go on with, and provider with social id. For development."""
        uid, social = _said(body, "auth_token"), _social(body)
        found = [Identity("firebase", uid, verified=False)] if uid else []
        if social is not None:
            if social[0] in PROVIDERS:
                found.append(Identity(*social, verified=False))
            elif not uid:
                raise BadInput("social must be google, facebook, apple or firebase.")
        if not found:
            raise BadInput("social and social_id, or auth_token, are missing.")
        self._check_allowed(found[0].provider)
        return found

    def _check_allowed(self, provider: str) -> None:
        if self._unverified_allowed:
            return
        if self._id_tokens.configured:
            raise Refusal("Please sign in with the ID token of your provider.")
        raise Refusal(f"Sign-in with {provider} is not set up on this server.")


def _social(body: Body) -> tuple[str, str] | None:
    subject = _said(body, "social_id")
    return (body.text("social", longest=32).lower(), subject) if subject else None


def _said(body: Body, name: str) -> str:
    text = body.text(name, longest=256)
    return "" if text in NOTHING else text


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
