"""Apple's and Google's servers, as far as we ask them: real HTTPS servers with a
certificate of a test root, and signatures of keys made here."""

import asyncio
import base64
import contextlib
import json
import secrets
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import jwt
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID, ObjectIdentifier

BUNDLE, APP_ID, PACKAGE = "com.example.app", 12345, "com.example.app"
INTERMEDIATE_MARK = "1.2.840.113635.100.6.2.1"
LEAF_MARK = "1.2.840.113635.100.6.11.1"
Json = dict[str, Any]
Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Certified:
    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def der(self) -> str:
        return base64.b64encode(self.certificate.public_bytes(Encoding.DER)).decode()


def certify(
    name: str, by: Certified | None, *, ca: bool, mark: str = "", host: str = ""
) -> Certified:
    """``by`` None: signed by itself. ``mark``: Apple's extension of that number."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = key if by is None else by.key
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if by is None else by.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=200))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
            critical=False,
        )
    )
    if mark:
        unknown = x509.UnrecognizedExtension(ObjectIdentifier(mark), b"\x05\x00")
        builder = builder.add_extension(unknown, critical=False)
    if host:
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))])
        builder = builder.add_extension(names, critical=False)
    return Certified(builder.sign(signer, hashes.SHA256()), key)


@dataclass(frozen=True)
class AppleChain:
    """Whoever has it speaks as Apple."""

    root: Certified
    intermediate: Certified
    leaf: Certified

    def sign(self, said: Json) -> str:
        chain = [self.leaf.der, self.intermediate.der, self.root.der]
        return jwt.encode(
            said, self.leaf.key, algorithm="ES256", headers={"x5c": chain}
        )


@cache
def apple_chain(number: int = 0) -> AppleChain:
    """Another number: another root that nobody trusts."""
    root = certify(f"Test Root {number}", None, ca=True)
    middle = certify("Test Middle", root, ca=True, mark=INTERMEDIATE_MARK)
    return AppleChain(root, middle, certify("Leaf", middle, ca=False, mark=LEAF_MARK))


@cache
def tls_root() -> Certified:
    return certify("Test TLS Root", None, ca=True)


@cache
def api_key() -> Key:
    """What App Store Connect would have given us."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def google_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_pem(key: Key | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@dataclass
class FakeApple:
    """One server for both of Apple's environments."""

    chain: AppleChain = field(default_factory=apple_chain)
    transactions: dict[str, dict[str, Json]] = field(
        default_factory=lambda: {"production": {}, "sandbox": {}}
    )
    history: list[Json] = field(default_factory=list)
    history_asked: list[Json] = field(default_factory=list)
    status: int = 200
    asked: int = 0
    in_pieces: bool = False
    url: str = ""

    def bought(
        self,
        transaction_id: str,
        product: str = "com.example.app.buy500Coins",
        environment: str = "production",
        **more: object,
    ) -> Json:
        said = {
            "transactionId": transaction_id,
            "bundleId": BUNDLE,
            "productId": product,
            "quantity": 1,
            "type": "Consumable",
            "environment": environment.capitalize(),
            "signedDate": int(time.time() * 1000),
            "price": 4990,
            "currency": "EUR",
        } | more
        self.transactions[environment][transaction_id] = said
        return said

    def notification(self, kind: str, transaction: Json, **more: object) -> Json:
        said: Json = {
            "notificationType": kind,
            "notificationUUID": secrets.token_hex(8),
            "version": "2.0",
            "signedDate": int(time.time() * 1000),
            "data": {
                "appAppleId": APP_ID,
                "bundleId": BUNDLE,
                "environment": transaction["environment"],
                "signedTransactionInfo": self.chain.sign(transaction),
            },
        } | more
        return {"signedPayload": self.chain.sign(said)}

    def remember(self, kind: str, transaction: Json, **more: object) -> None:
        """In the history, and sent to nobody."""
        told = self.notification(kind, transaction, **more)
        at = more.get("signedDate", int(time.time() * 1000))
        self.history.append({"kind": kind, "at": at, "item": told})

    async def tell_history(self, request: web.Request) -> web.Response:
        """One a page."""
        if self.status != 200:
            return web.Response(status=self.status)
        _check_token(request)
        wanted = await request.json()
        self.history_asked.append(wanted)
        found = [
            one["item"]
            for one in self.history
            if one["kind"] == wanted["notificationType"]
            and wanted["startDate"] <= one["at"] <= wanted["endDate"]
        ]
        at = int(request.query.get("paginationToken", "0"))
        page: Json = {"notificationHistory": found[at : at + 1], "hasMore": False}
        if at + 1 < len(found):
            page |= {"hasMore": True, "paginationToken": str(at + 1)}
        return web.json_response(page)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        if self.status != 200:
            return web.Response(status=self.status)
        _check_token(request)
        known = self.transactions[request.match_info["environment"]]
        said = known.get(request.match_info["id"])
        if said is None:
            missing = {
                "errorCode": 4040010,
                "errorMessage": "Transaction id not found.",
            }
            return web.json_response(missing, status=404)
        whole = {"signedTransactionInfo": self.chain.sign(said)}
        if self.in_pieces:
            return await _in_pieces(request, json.dumps(whole).encode())
        return web.json_response(whole)

    def routes(self) -> list[web.RouteDef]:
        path = "/{environment}/inApps/v1"
        return [
            web.get(path + "/transactions/{id}", self.answer),
            web.post(path + "/notifications/history", self.tell_history),
        ]


def _check_token(request: web.Request) -> None:
    scheme, _, token = request.headers["Authorization"].partition(" ")
    claims = jwt.decode(
        token, api_key().public_key(), ["ES256"], audience="appstoreconnect-v1"
    )
    assert (scheme, claims["bid"]) == ("Bearer", BUNDLE)
    assert jwt.get_unverified_header(token)["kid"] == "KEY"


async def _in_pieces(request: web.Request, body: bytes) -> web.StreamResponse:
    """As a busy network brings it."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    for piece in (body[:100], body[100:]):
        await response.write(piece)
        await asyncio.sleep(0.05)
    return response


@dataclass
class FakeGoogle:
    purchases: dict[str, Json] = field(default_factory=dict)
    voided: list[str] = field(default_factory=list)
    voided_pieces: dict[str, int] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    asked: int = 0
    url: str = ""

    def bought(
        self,
        token: str,
        product: str = "buy500coins",
        state: str = "PURCHASED",
        quantity: int = 1,
    ) -> Json:
        """Consumed already, as the app does it before it tells us."""
        offer = {
            "quantity": quantity,
            "refundableQuantity": quantity,
            "consumptionState": "CONSUMPTION_STATE_CONSUMED",
        }
        said: Json = {
            "kind": "androidpublisher#productPurchaseV2",
            "productLineItem": [{"productId": product, "productOfferDetails": offer}],
            "purchaseStateContext": {"purchaseState": state},
            "orderId": "GPA.1",
            "acknowledgementState": "ACKNOWLEDGEMENT_STATE_ACKNOWLEDGED",
        }
        self.purchases[token] = said
        return said

    def void_pieces(self, token: str, pieces: int) -> None:
        """Of those that are left; with the last one the purchase is cancelled."""
        said = self.purchases[token]
        offer = said["productLineItem"][0]["productOfferDetails"]
        offer["refundableQuantity"] -= pieces
        if not offer["refundableQuantity"]:
            said["purchaseStateContext"]["purchaseState"] = "CANCELLED"
        self.voided_pieces[token] = pieces

    def account(self) -> str:
        return json.dumps(
            {
                "client_email": "us@example.com",
                "private_key": private_pem(google_key()),
                "token_uri": f"{self.url}/token",
            }
        )

    async def give_token(self, request: web.Request) -> web.Response:
        form = await request.post()
        claims = jwt.decode(
            str(form["assertion"]),
            google_key().public_key(),
            ["RS256"],
            audience=f"{self.url}/token",
        )
        assert claims["iss"] == "us@example.com"
        assert claims["scope"].endswith("/auth/androidpublisher")
        token = secrets.token_hex(8)
        self.tokens.add(token)
        return web.json_response({"access_token": token, "expires_in": 3599})

    def _allowed(self, request: web.Request) -> bool:
        return request.headers["Authorization"].removeprefix("Bearer ") in self.tokens

    async def product(self, request: web.Request) -> web.Response:
        self.asked += 1
        if not self._allowed(request):
            return web.json_response({"error": {}}, status=401)
        said = self.purchases.get(request.match_info["token"])
        if said is None:
            return web.json_response({"error": {"code": 404}}, status=404)
        return web.json_response(said)

    async def list_voided(self, request: web.Request) -> web.Response:
        """One a page."""
        if not self._allowed(request):
            return web.json_response({"error": {}}, status=401)
        voided: list[Json] = [
            {"purchaseToken": token, "voidedReason": 1} for token in self.voided
        ]
        if request.query.get("includeQuantityBasedPartialRefund") == "true":
            voided += [
                {"purchaseToken": token, "voidedReason": 1, "voidedQuantity": pieces}
                for token, pieces in self.voided_pieces.items()
            ]
        at = int(request.query.get("token", "0"))
        page: Json = {"voidedPurchases": voided[at : at + 1]}
        if at + 1 < len(voided):
            page["tokenPagination"] = {"nextPageToken": str(at + 1)}
        return web.json_response(page)

    def routes(self) -> list[web.RouteDef]:
        base = f"/androidpublisher/v3/applications/{PACKAGE}/purchases"
        return [
            web.post("/token", self.give_token),
            web.get(base + "/productsv2/tokens/{token}", self.product),
            web.get(base + "/voidedpurchases", self.list_voided),
        ]


@contextlib.asynccontextmanager
async def https(folder: Path, routes: list[web.RouteDef]) -> AsyncIterator[str]:
    """Its address. Whoever asks must trust :func:`tls_root`."""
    ours = certify("Test Store", tls_root(), ca=False, host="127.0.0.1")
    file = folder / f"{secrets.token_hex(4)}.pem"
    file.write_text(private_pem(ours.key) + ours.pem)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cadata=tls_root().pem)
