"""Apple's App Store: one transaction by its id, and its notifications.

What Apple says is a JWS whose certificates must lead to Apple's root; Apple's own
library checks that. Asking is an HTTPS call with a token signed by our key.
"""

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from importlib import resources

import aiohttp
import jwt
import structlog
from appstoreserverlibrary.models.Environment import Environment as AppleEnvironment
from appstoreserverlibrary.models.JWSTransactionDecodedPayload import (
    JWSTransactionDecodedPayload,
)
from appstoreserverlibrary.models.NotificationTypeV2 import NotificationTypeV2
from appstoreserverlibrary.signed_data_verifier import (
    SignedDataVerifier,
    VerificationException,
)
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from control_plane.base.refusals import Unavailable
from control_plane.coins.app_stores.http import call
from control_plane.coins.model.money import Money
from control_plane.coins.model.purchases import (
    Environment,
    NotBought,
    Receipt,
    Refunded,
    RefundNotice,
)

log = structlog.get_logger(__name__)

PRODUCTION_URL = "https://api.storekit.itunes.apple.com"
SANDBOX_URL = "https://api.storekit-sandbox.itunes.apple.com"
AUDIENCE = "appstoreconnect-v1"
TOKEN_SECONDS = 600  # Apple takes at most an hour
_ID = re.compile(r"^[0-9]{1,32}$")
_REFUND = {NotificationTypeV2.REFUND: True, NotificationTypeV2.REFUND_REVERSED: False}


@dataclass(frozen=True)
class AppleApp:
    """From App Store Connect. ``app_id`` is needed for production."""

    bundle_id: str
    app_id: int
    issuer_id: str
    key_id: str
    private_key: str = field(repr=False)  # PEM
    url: str = PRODUCTION_URL
    sandbox_url: str = SANDBOX_URL
    root_certificates: str = ""  # PEM; empty: Apple's own root


class AppleStore:
    def __init__(self, http: aiohttp.ClientSession, app: AppleApp) -> None:
        self._http = http
        self._app = app
        self._places: dict[Environment, tuple[str, SignedDataVerifier]] = {
            "production": (app.url, _verifier(app, AppleEnvironment.PRODUCTION)),
            "sandbox": (app.sandbox_url, _verifier(app, AppleEnvironment.SANDBOX)),
        }

    async def receipt(self, transaction_id: str) -> Receipt:
        """From production, else from the sandbox: a phone does not say which."""
        if not _ID.match(transaction_id):
            raise NotBought
        for environment, (url, verifier) in self._places.items():
            signed = await self._ask(url, transaction_id)
            if signed is not None:
                said = await asyncio.to_thread(_transaction, verifier, signed)
                return _receipt(said, transaction_id, environment)
        raise NotBought

    async def _ask(self, url: str, transaction_id: str) -> str | None:
        """None: not known there."""
        headers = {"Authorization": f"Bearer {self._token()}"}
        status, body = await call(
            self._http,
            "GET",
            f"{url}/inApps/v1/transactions/{transaction_id}",
            headers=headers,
        )
        if status in (400, 404):
            return None
        signed = body.get("signedTransactionInfo")
        if status != 200 or not isinstance(signed, str):
            log.error("the App Store refused us", status=status, body=body)
            raise Unavailable
        return signed

    async def notice(self, payload: Mapping[str, object]) -> RefundNotice | None:
        """What a notification says about a refund, if anything. Raises NotBought
        when Apple has not signed it for this app."""
        signed = payload.get("signedPayload")
        if not isinstance(signed, str):
            raise NotBought
        return await asyncio.to_thread(self._notice, signed)

    def _notice(self, signed: str) -> RefundNotice | None:
        for _, verifier in self._places.values():
            try:
                said = verifier.verify_and_decode_notification(signed)
            except VerificationException:
                continue
            kind = said.notificationType
            if (
                kind not in _REFUND
                or not said.data
                or not said.data.signedTransactionInfo
            ):
                return None
            of = _transaction(verifier, said.data.signedTransactionInfo)
            return RefundNotice(
                store="apple",
                transaction_id=str(of.transactionId),
                given_back=_REFUND[kind],
                signed_at=_signed_at(said.signedDate),
            )
        raise NotBought

    def _token(self) -> str:
        now = int(time.time())
        claims = {
            "iss": self._app.issuer_id,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "aud": AUDIENCE,
            "bid": self._app.bundle_id,
        }
        return jwt.encode(
            claims,
            self._app.private_key,
            algorithm="ES256",
            headers={"kid": self._app.key_id},
        )


def _signed_at(milliseconds: int | None) -> datetime | None:
    """When Apple said it first: what it sends again was signed then."""
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _transaction(
    verifier: SignedDataVerifier, signed: str
) -> JWSTransactionDecodedPayload:
    try:
        return verifier.verify_and_decode_signed_transaction(signed)
    except VerificationException as error:
        log.error("not signed by Apple for this app", reason=error.status.name)
        raise NotBought from None


def _receipt(
    said: JWSTransactionDecodedPayload, transaction_id: str, environment: Environment
) -> Receipt:
    if said.transactionId != transaction_id or not said.productId:
        raise NotBought
    if said.revocationDate is not None:
        raise Refunded
    price = None
    if said.price is not None and said.currency:
        # Thousandths of the currency's unit.
        price = Money.of(Decimal(said.price) / 1000, said.currency)
    return Receipt(
        store="apple",
        environment=environment,
        transaction_id=transaction_id,
        product_id=said.productId,
        quantity=said.quantity or 1,
        price=price,
    )


def _verifier(app: AppleApp, environment: AppleEnvironment) -> SignedDataVerifier:
    """Certificates are not looked up in Apple's revocation lists: that would be a
    call to a third host for each purchase."""
    text = app.root_certificates or _apple_root()
    roots = [
        certificate.public_bytes(Encoding.DER)
        for certificate in x509.load_pem_x509_certificates(text.encode())
    ]
    return SignedDataVerifier(
        roots,
        enable_online_checks=False,
        environment=environment,
        bundle_id=app.bundle_id,
        app_apple_id=app.app_id,
    )


@cache
def _apple_root() -> str:
    file = resources.files("control_plane.coins.app_stores") / "AppleRootCA-G3.pem"
    return file.read_text("utf-8")
