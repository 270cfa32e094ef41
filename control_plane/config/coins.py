"""Coins: what they are worth, and the app stores that sell them."""

import json
from decimal import Decimal
from typing import Self

from pydantic import Field, FilePath, SecretStr, model_validator

from control_plane.config.service import ServiceSettings


class CoinSettings(ServiceSettings):
    # What one coin is worth, as the apps show it.
    coin_worth: Decimal = Field(Decimal("0.01"), ge=0, le=1000)
    payout_currency: str = Field("USD", pattern=r"^[A-Z]{3}$")
    payout_least_coins: int = Field(100, ge=1)
    # For more coins than that two operators have to say that they are paid; 0: one.
    payout_two_operators_above: int = Field(0, ge=0)
    # Of each gift, rounded down; the rest is the broadcaster's.
    platform_share_percent: int = Field(0, ge=0, le=100)
    # How long after the end a ticket that nobody watched with is given back.
    unwatched_ticket_hours: float = Field(24.0, ge=0)
    # For apps whose video goes another way: a session takes gifts before it is live,
    # and does not expire while gifts come or its host asks for it.
    gift_created_sessions: bool = False
    # How long a request that is repeated with its Idempotency-Key counts once.
    idempotency_days: float = Field(30.0, ge=1)
    # Between two looks at the whole ledger; 0: none. After an hour without one
    # alerts.yml says so.
    ledger_check_seconds: float = Field(600.0, ge=0, le=3000)
    # Test purchases cost nothing, and an app's reviewers make them. None: counted in
    # development only.
    sandbox_purchases: bool | None = None

    @property
    def sandbox_purchases_accepted(self) -> bool:
        if self.sandbox_purchases is None:
            return self.development
        return self.sandbox_purchases


class AppStoreSettings(ServiceSettings):
    # From App Store Connect: the app, and an in-app purchase key (PEM).
    app_store_bundle_id: str = ""
    app_store_app_id: int = Field(0, ge=0)
    app_store_issuer_id: str = ""
    app_store_key_id: str = ""
    app_store_private_key: SecretStr = SecretStr("")
    app_store_url: str = "https://api.storekit.itunes.apple.com"
    app_store_sandbox_url: str = "https://api.storekit-sandbox.itunes.apple.com"
    # PEM; none: Apple's own root.
    app_store_root_certificates: FilePath | None = None
    app_store_refunds_seconds: float = Field(300.0, gt=0)
    # The app's package, and the JSON of a service account that may see its orders.
    google_play_package: str = ""
    google_play_account: SecretStr = SecretStr("")
    google_play_url: str = "https://androidpublisher.googleapis.com"
    google_play_refunds_seconds: float = Field(300.0, gt=0)
    # PEM of who signs the stores' TLS certificates; none: this system's list.
    store_ca_file: FilePath | None = None

    @model_validator(mode="after")
    def _stores_are_whole(self) -> Self:
        if self.app_store_bundle_id and not (
            self.app_store_app_id
            and self.app_store_issuer_id
            and self.app_store_key_id
            and self.app_store_private_key.get_secret_value()
        ):
            raise ValueError(
                "CONTROL_PLANE_APP_STORE_BUNDLE_ID needs APP_ID, ISSUER_ID, KEY_ID and"
                " PRIVATE_KEY beside it"
            )
        if self.google_play_package and not _is_service_account(
            self.google_play_account.get_secret_value()
        ):
            raise ValueError(
                "CONTROL_PLANE_GOOGLE_PLAY_ACCOUNT is not the JSON of a service account"
            )
        return self


def _is_service_account(text: str) -> bool:
    try:
        account = json.loads(text)
    except ValueError:
        return False
    needed = {"client_email", "private_key", "token_uri"}
    return isinstance(account, dict) and needed <= account.keys()
