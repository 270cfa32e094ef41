"""ID tokens of sign-in providers, verified against the keys that they publish."""

from collections.abc import Mapping, Sequence
from typing import Any

import jwt
import structlog

from control_plane.base.refusals import Refusal
from control_plane.people.model.providers import Claims, Provider
from control_plane.people.service.key_ring import Fetch, KeyRing

log = structlog.get_logger(__name__)

#: Never a symmetric one: the public key would then be the secret.
ALGORITHMS = ["RS256", "ES256"]
LEEWAY = 30  # seconds between the provider's clock and ours
LONGEST = 8192  # characters
REQUIRED = ["iss", "aud", "sub", "exp", "iat"]
#: Who proves an id to Firebase; an e-mail address may be anyone's.
LINKED = {"google.com": "google", "apple.com": "apple", "facebook.com": "facebook"}


class IdTokens:
    def __init__(self, providers: Sequence[Provider], fetch: Fetch) -> None:
        """``providers``: those that are configured."""
        self._providers = {
            issuer: provider for provider in providers for issuer in provider.issuers
        }
        self._rings = {
            provider.name: KeyRing(provider.keys_url, fetch) for provider in providers
        }

    @property
    def configured(self) -> bool:
        return bool(self._rings)

    async def verify(self, token: str) -> Claims:
        """Raises Refusal for what no configured provider has signed for us."""
        try:
            header = jwt.get_unverified_header(token)
            unverified = jwt.decode(token, options={"verify_signature": False})
        except (jwt.PyJWTError, ValueError):
            raise Refusal("token invalid") from None
        issuer = unverified.get("iss")
        provider = self._providers.get(issuer) if isinstance(issuer, str) else None
        key_id = header.get("kid")
        if provider is None or not isinstance(key_id, str):
            raise Refusal("Sign-in with this provider is not set up on this server.")
        return _claims(provider, await self._verified(provider, key_id, token))

    async def _verified(
        self, provider: Provider, key_id: str, token: str
    ) -> Mapping[str, Any]:
        key = await self._rings[provider.name].key(key_id)
        if key is None:
            raise Refusal("token invalid")
        try:
            verified: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=provider.audiences,
                issuer=provider.issuers,
                leeway=LEEWAY,
                options={"require": REQUIRED},
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            log.info("a sign-in was refused", provider=provider.name, why=repr(error))
            raise Refusal("token invalid") from None
        return verified


def is_id_token(text: str) -> bool:
    """A JWT has three parts; neither our own tokens nor Firebase's uids do."""
    return text.count(".") == 2 and text.startswith("eyJ") and len(text) <= LONGEST


def _claims(provider: Provider, verified: Mapping[str, Any]) -> Claims:
    subject = verified["sub"]
    if not subject or len(subject) > 256:
        raise Refusal("token invalid")
    # Apple sends the flag as text.
    proven = verified.get("email_verified") in (True, "true")
    email = _text(verified, "email")
    return Claims(
        provider=provider.name,
        subject=subject,
        email=email if proven else "",
        unproven_email="" if proven else email,
        phone=_text(verified, "phone_number"),
        linked=_linked(verified) if provider.name == "firebase" else frozenset(),
    )


def _linked(verified: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """Of ``{"firebase": {"identities": {"google.com": ["123"]}}}``."""
    inner = verified.get("firebase")
    identities = inner.get("identities") if isinstance(inner, dict) else None
    if not isinstance(identities, dict):
        return frozenset()
    return frozenset(
        (LINKED[name], subject)
        for name, subjects in identities.items()
        if name in LINKED and isinstance(subjects, list)
        for subject in subjects
        if isinstance(subject, str)
    )


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) and len(value) <= 254 else ""
