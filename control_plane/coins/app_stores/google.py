"""Google Play: one purchase by its token alone, and the purchases taken back.

The app sends no product id and consumes on the phone, so a purchase that is consumed
already is the normal case.
"""

import json
import re
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import aiohttp
import jwt
import structlog
from yarl import URL

from control_plane.base.refusals import Unavailable
from control_plane.coins.app_stores.http import call
from control_plane.coins.model.purchases import (
    WHOLE,
    NotBought,
    Receipt,
    Refunded,
    RefundNotice,
    StillPending,
)

log = structlog.get_logger(__name__)

GOOGLE_URL = "https://androidpublisher.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/androidpublisher"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOKEN_SECONDS = 3600
RENEW_BEFORE = 300  # seconds
#: Without it, refunds of some pieces of a purchase are not listed at all.
_WITH_PIECES = {"includeQuantityBasedPartialRefund": "true"}
_TOKEN = re.compile(r"^[A-Za-z0-9._~:/+=-]{1,1000}$")


@dataclass(frozen=True)
class GoogleApp:
    """``account``: the service account's JSON file, as Google gives it out."""

    package_name: str
    account: str = field(repr=False)
    url: str = GOOGLE_URL


class GoogleStore:
    def __init__(self, http: aiohttp.ClientSession, app: GoogleApp) -> None:
        self._http = http
        account: dict[str, Any] = json.loads(app.account)
        self._email = str(account["client_email"])
        self._private_key = str(account["private_key"])
        self._token_url = str(account["token_uri"])
        self._base = f"{app.url}/androidpublisher/v3/applications/{app.package_name}"
        self._token = ""
        self._token_until = 0.0  # of time.monotonic()

    async def receipt(self, transaction_id: str) -> Receipt:
        """``transaction_id``: the purchase token."""
        if not _TOKEN.match(transaction_id):
            raise NotBought
        path = f"/purchases/productsv2/tokens/{quote(transaction_id, safe='')}"
        status, said = await self._get(path, {})
        if status in (400, 404, 410):
            raise NotBought
        if status != 200:
            log.error("Google Play refused us", status=status, body=said)
            raise Unavailable
        return _receipt(said, transaction_id)

    async def voided(self) -> AsyncIterator[RefundNotice]:
        """Google looks back 30 days at most, and that far by itself."""
        params = dict(_WITH_PIECES)
        while True:
            status, said = await self._get("/purchases/voidedpurchases", params)
            if status != 200:
                log.error("Google Play refused us", status=status, body=said)
                raise Unavailable
            for one in _list(said.get("voidedPurchases")):
                if isinstance(one, dict) and one.get("purchaseToken"):
                    token = str(one["purchaseToken"])
                    share = await self._share(token, one.get("voidedQuantity"))
                    yield RefundNotice("google", token, share=share)
            following = _dict(said.get("tokenPagination")).get("nextPageToken")
            if not following:
                return
            params = _WITH_PIECES | {"token": str(following)}

    async def _share(self, token: str, pieces: object) -> int:
        """Of a purchase that was taken back whole, or else in ``pieces`` by one refund
        of perhaps several: the purchase itself says how many are left."""
        if not isinstance(pieces, int):
            return WHOLE
        try:
            found = await self.receipt(token)
        except Refunded:
            return WHOLE
        except (NotBought, StillPending):
            log.error("a refund of pieces that we cannot read", pieces=pieces)
            return 0
        return max(found.refunded, _share_of(pieces, found.quantity))

    async def _get(
        self, path: str, params: Mapping[str, str]
    ) -> tuple[int, dict[str, object]]:
        token = await self._access_token()
        status, said = await call(
            self._http,
            "GET",
            URL(self._base + path, encoded=True),
            headers={"Authorization": f"Bearer {token}"},
            params=params,
        )
        if status == 401:
            self._token_until = 0.0
        return status, said

    async def _access_token(self) -> str:
        if time.monotonic() < self._token_until:
            return self._token
        form = {"grant_type": GRANT_TYPE, "assertion": self._assertion()}
        status, said = await call(self._http, "POST", self._token_url, form=form)
        token, seconds = said.get("access_token"), said.get("expires_in")
        if status != 200 or not isinstance(token, str):
            log.error("Google gave no access token", status=status)
            raise Unavailable
        lasts = seconds if isinstance(seconds, int) else TOKEN_SECONDS
        self._token = token
        self._token_until = time.monotonic() + lasts - RENEW_BEFORE
        return token

    def _assertion(self) -> str:
        now = int(time.time())
        claims = {
            "iss": self._email,
            "scope": SCOPE,
            "aud": self._token_url,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
        }
        return jwt.encode(claims, self._private_key, algorithm="RS256")


def _receipt(said: Mapping[str, object], token: str) -> Receipt:
    state = _dict(said.get("purchaseStateContext")).get("purchaseState")
    if state == "PENDING":
        raise StillPending
    if state == "CANCELLED":
        raise Refunded
    lines = [_dict(line) for line in _list(said.get("productLineItem"))]
    if state != "PURCHASED" or len(lines) != 1 or not lines[0].get("productId"):
        log.error("a purchase that we cannot read", state=state, lines=len(lines))
        raise NotBought
    offer = _dict(lines[0].get("productOfferDetails"))
    if offer.get("refundableQuantity") == 0:
        raise Refunded
    quantity = _pieces(offer.get("quantity")) or 1
    left = _pieces(offer.get("refundableQuantity")) or quantity
    return Receipt(
        store="google",
        environment="sandbox" if "testPurchaseContext" in said else "production",
        transaction_id=token,
        product_id=str(lines[0]["productId"]),
        quantity=quantity,
        price=None,
        refunded=_share_of(quantity - left, quantity),
    )


def _pieces(value: object) -> int:
    """0: it does not say."""
    return value if isinstance(value, int) and value > 0 else 0


def _share_of(pieces: int, quantity: int) -> int:
    """To the nearest thousandth of a percent."""
    share = (pieces * WHOLE + quantity // 2) // quantity
    return min(max(share, 0), WHOLE)


def _dict(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
