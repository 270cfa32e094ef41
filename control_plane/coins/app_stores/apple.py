"""Apple's App Store: one transaction by its id, its notifications, and those that it
could not send.

What Apple says is a JWS whose certificates must lead to Apple's root; Apple's own
library checks that. Asking is an HTTPS call with a token signed by our key.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Literal

import aiohttp
import jwt
import structlog
from appstoreserverlibrary.models.Environment import Environment as AppleEnvironment
from appstoreserverlibrary.models.JWSTransactionDecodedPayload import (
    JWSTransactionDecodedPayload,
)
from appstoreserverlibrary.models.NotificationTypeV2 import NotificationTypeV2
from appstoreserverlibrary.models.ResponseBodyV2DecodedPayload import (
    ResponseBodyV2DecodedPayload,
)
from appstoreserverlibrary.signed_data_verifier import (
    SignedDataVerifier,
    VerificationException,
    VerificationStatus,
)
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from control_plane.base.refusals import Unavailable
from control_plane.coins.app_stores.http import call
from control_plane.coins.model.money import Money
from control_plane.coins.model.purchases import (
    WHOLE,
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
#: Of what Apple tells it keeps 180 days, by its own clock.
KEPT = timedelta(days=179)
#: What was told just before a look may be seen by the next one only.
READ_AGAIN = timedelta(days=1)
_ID = re.compile(r"^[0-9]{1,32}$")
_REFUND = {NotificationTypeV2.REFUND: True, NotificationTypeV2.REFUND_REVERSED: False}

#: Why a notice is not believed. The app's id is looked at in notices only: where it is
#: mistyped all of them are another app's, and purchases go on.
NoticeRefusal = Literal["another_app", "not_signed"]


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
    def __init__(
        self,
        http: aiohttp.ClientSession,
        app: AppleApp,
        refused: Callable[[NoticeRefusal], None] = lambda _: None,
    ) -> None:
        """``refused`` hears of each notice that is not believed, in any thread."""
        self._http = http
        self._app = app
        self._refused = refused
        self._read_until: datetime | None = None
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
        status, body = await call(
            self._http,
            "GET",
            f"{url}/inApps/v1/transactions/{transaction_id}",
            headers=self._headers(),
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
            self._refused("not_signed")
            raise NotBought
        return await asyncio.to_thread(self._notice, signed)

    async def refunds(self) -> AsyncIterator[RefundNotice]:
        """Those that Apple told or tried to tell: at first as far back as it keeps
        them, then since the look before. Test purchases cost nothing and are not
        looked at. Raises NotBought at the end when some are not believed: they are
        read again by the next look, as they are after Unavailable."""
        now = datetime.now(UTC)
        since = now - KEPT if self._read_until is None else self._read_until
        believed = True
        for kind in _REFUND:
            async for told in self._history(kind, since, now):
                try:
                    notice = await self.notice(told)
                except NotBought:
                    believed = False
                    continue
                if notice is not None:
                    yield notice
        if not believed:
            raise NotBought
        self._read_until = now - READ_AGAIN

    async def _history(
        self, kind: NotificationTypeV2, since: datetime, until: datetime
    ) -> AsyncIterator[Mapping[str, object]]:
        """Notifications as they were sent, the pages one after the other."""
        wanted = {
            "startDate": _milliseconds(since),
            "endDate": _milliseconds(until),
            "notificationType": kind.value,
        }
        params: dict[str, str] = {}
        while True:
            page = await self._page(wanted, params)
            told = page.get("notificationHistory")
            for one in told if isinstance(told, list) else []:
                if isinstance(one, dict):
                    yield one
            if not page.get("hasMore"):
                return
            params = {"paginationToken": str(page.get("paginationToken"))}

    async def _page(
        self, wanted: Mapping[str, object], params: Mapping[str, str]
    ) -> Mapping[str, object]:
        status, body = await call(
            self._http,
            "POST",
            f"{self._app.url}/inApps/v1/notifications/history",
            headers=self._headers(),
            params=params,
            body=wanted,
        )
        if status != 200:
            log.error("the App Store refused us", status=status, body=body)
            raise Unavailable
        return body

    def _notice(self, signed: str) -> RefundNotice | None:
        verifier, said = self._verified(signed)
        kind, data = said.notificationType, said.data
        if kind not in _REFUND or not data or not data.signedTransactionInfo:
            return None
        of = _transaction(verifier, data.signedTransactionInfo)
        return RefundNotice(
            store="apple",
            transaction_id=str(of.transactionId),
            given_back=_REFUND[kind],
            signed_at=_signed_at(said.signedDate),
            share=_share(of),
        )

    def _verified(
        self, signed: str
    ) -> tuple[SignedDataVerifier, ResponseBodyV2DecodedPayload]:
        why: NoticeRefusal = "not_signed"
        for _, verifier in self._places.values():
            try:
                return verifier, verifier.verify_and_decode_notification(signed)
            except VerificationException as error:
                if error.status == VerificationStatus.INVALID_APP_IDENTIFIER:
                    why = "another_app"
        log.warning("a notice of Apple's is not believed", reason=why)
        self._refused(why)
        raise NotBought

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token()}"}

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


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


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
    refunded = 0 if said.revocationDate is None else _share(said)
    if refunded == WHOLE:
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
        refunded=refunded,
    )


def _share(refunded: JWSTransactionDecodedPayload) -> int:
    """Of all its pieces, and of all refunds so far. All, where Apple does not say."""
    if refunded.revocationPercentage is None:
        return WHOLE
    return min(refunded.revocationPercentage, WHOLE)


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
