"""Coins: what they are worth, and the app stores that sell them."""

import json
from decimal import Decimal
from typing import Self

from pydantic import Field, FilePath, SecretStr, model_validator

from control_plane.config.service import ServiceSettings


class CoinSettings(ServiceSettings):
    """Coins."""

    coin_worth: Decimal = Field(Decimal("0.01"), ge=0, le=1000)
    """What one coin is worth in a payout, and as the apps show it."""
    payout_currency: str = Field("USD", pattern=r"^[A-Z]{3}$")
    """In which coins are worth that: three capitals."""
    payout_least_coins: int = Field(100, ge=1)
    """So many coins at least are paid out at once."""
    payout_two_operators_above: int = Field(0, ge=0)
    """For more coins than that two operators have to say that they are paid; 0: one."""
    platform_share_percent: int = Field(0, ge=0, le=100)
    """Of each gift, rounded down; the rest is the broadcaster's."""
    unwatched_ticket_hours: float = Field(24.0, ge=0)
    """How long after the end a ticket that nobody watched with is given back."""
    gift_created_sessions: bool = False
    """For apps whose video goes another way: a session takes gifts before it is live,
    and does not expire while gifts come or its host asks for it."""
    idempotency_days: float = Field(30.0, ge=1)
    """How long a request that is repeated with its Idempotency-Key counts once."""
    ledger_check_seconds: float = Field(600.0, ge=0, le=3000)
    """Between two looks at the whole ledger; 0: none. After an hour without one
    alerts.yml says so."""
    sandbox_purchases: bool | None = None
    """Whether the app stores' test purchases bring coins. They cost nothing, and an
    app's reviewers make them. None: in development only."""

    @property
    def sandbox_purchases_accepted(self) -> bool:
        if self.sandbox_purchases is None:
            return self.development
        return self.sandbox_purchases


class AppStoreSettings(ServiceSettings):
    """App stores."""

    app_store_bundle_id: str = ""
    """The app's, from App Store Connect; none: Apple is not asked."""
    app_store_app_id: int = Field(0, ge=0)
    """The app's Apple ID there, a number."""
    app_store_issuer_id: str = ""
    """Of App Store Connect's keys."""
    app_store_key_id: str = ""
    """Of a key for in-app purchases."""
    app_store_private_key: SecretStr = SecretStr("")
    """That key, in PEM."""
    app_store_url: str = "https://api.storekit.itunes.apple.com"
    """Where Apple is asked about purchases."""
    app_store_sandbox_url: str = "https://api.storekit-sandbox.itunes.apple.com"
    """Where it is asked about test purchases."""
    app_store_root_certificates: FilePath | None = None
    """A file in PEM: who signs what Apple says; none: Apple's own root."""
    app_store_refunds_seconds: float = Field(300.0, gt=0)
    """Between two looks at Apple's refunds."""
    google_play_package: str = ""
    """The app's; none: Google is not asked."""
    google_play_account: SecretStr = SecretStr("")
    """The JSON of a service account that may see the app's orders."""
    google_play_url: str = "https://androidpublisher.googleapis.com"
    """Where Google is asked about purchases."""
    google_play_refunds_seconds: float = Field(300.0, gt=0)
    """Between two looks at Google's refunds."""
    store_ca_file: FilePath | None = None
    """A file in PEM: who signs the stores' TLS certificates; none: this system's
    list."""

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
