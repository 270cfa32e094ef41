"""Settings: read once, from the environment, typed.

Any secret may come from a file instead: ``NAME_FILE`` names it.
"""

import json
import os
from collections.abc import Mapping
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import Literal, Self

from pydantic import (
    AliasChoices,
    Field,
    FilePath,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "CONTROL_PLANE_"
FROM_FILES = (
    f"{PREFIX}SECRET",
    f"{PREFIX}API_KEY",
    f"{PREFIX}APP_STORE_PRIVATE_KEY",
    f"{PREFIX}GOOGLE_PLAY_ACCOUNT",
    "DATABASE_URL",
    "REDIS_URL",
)


class SettingsError(Exception):
    """One sentence that names the setting."""


class Settings(BaseSettings):
    """Everything that can be configured. The variable's name is
    ``CONTROL_PLANE_`` and the field's name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, hide_input_in_errors=True, extra="ignore"
    )

    env: Literal["development", "production"] = "production"
    database_url: SecretStr = Field(validation_alias=AliasChoices("DATABASE_URL"))
    redis_url: SecretStr = Field(validation_alias=AliasChoices("REDIS_URL"))
    secret: SecretStr = Field(min_length=32)
    api_key: SecretStr = SecretStr("")

    public_host: str = "0.0.0.0"  # noqa: S104  (the apps' listener)
    public_port: int = Field(8080, ge=0, le=65535)
    internal_host: str = "127.0.0.1"
    internal_port: int = Field(8081, ge=0, le=65535)
    internal_reuse_port: bool = False
    internal_url: str = ""
    public_url: str = ""
    cors_origins: str = "*"
    # Addresses or networks, between blanks, whose X-Forwarded-For is believed.
    trusted_proxies: str = ""
    # Requests a minute; 0: no limit. Sign-in: of an address. The others: of a user,
    # and ten times that of an address.
    sign_ins_per_minute: int = Field(120, ge=0)
    money_per_minute: int = Field(300, ge=0)
    searches_per_minute: int = Field(120, ge=0)
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    token_days: int = Field(90, ge=1, le=3650)
    # Today's iOS build sends its Firebase uid for ever, which is no secret:
    # whoever learns it is that user. None: on in development only.
    accept_provider_uid: bool | None = None
    # Providers whose ID tokens are verified: a Firebase project, and the client ids
    # of our apps (between blanks) with Google and Apple.
    firebase_project: str = ""
    google_client_ids: str = ""
    apple_client_ids: str = ""
    firebase_keys_url: str = (
        "https://www.googleapis.com/service_accounts/v1/jwk/"
        "securetoken@system.gserviceaccount.com"
    )
    google_keys_url: str = "https://www.googleapis.com/oauth2/v3/certs"
    apple_keys_url: str = "https://appleid.apple.com/auth/keys"
    # What one coin is worth, as the apps show it.
    coin_worth: Decimal = Field(Decimal("0.01"), ge=0, le=1000)
    payout_currency: str = Field("USD", pattern=r"^[A-Z]{3}$")
    payout_least_coins: int = Field(100, ge=1)
    # Of each gift, rounded down; the rest is the broadcaster's.
    platform_share_percent: int = Field(0, ge=0, le=100)
    # For apps whose video goes another way: a session takes gifts before it is live.
    gift_created_sessions: bool = False
    # Between two looks at the whole ledger; 0: none.
    ledger_check_seconds: float = Field(600.0, ge=0)

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
    # The app's package, and the JSON of a service account that may see its orders.
    google_play_package: str = ""
    google_play_account: SecretStr = SecretStr("")
    google_play_url: str = "https://androidpublisher.googleapis.com"
    google_play_refunds_seconds: float = Field(300.0, gt=0)
    # PEM of who signs the stores' TLS certificates; none: this system's list.
    store_ca_file: FilePath | None = None
    # Test purchases cost nothing, and an app's reviewers make them. None: counted in
    # development only.
    sandbox_purchases: bool | None = None
    # Videos and pictures that this server serves itself, under /media.
    media_folder: Path | None = None
    playback: Literal["public", "token"] = "public"
    viewer_token_hours: float = Field(12.0, gt=0, le=720)

    first_publish_seconds: int = Field(3600, ge=1)
    reconnect_seconds: int = Field(60, ge=0, le=1800)
    longest_session_seconds: int = Field(43_200, ge=1)
    reconcile_seconds: float = Field(2.0, gt=0.0, le=60.0)

    node_name: str = Field("local", pattern=r"^([a-z0-9][a-z0-9-]{0,31})?$")
    node_host: str = ""
    node_region: str = ""
    node_sandbox: bool = False
    rtmp_port: int = Field(1935, ge=1, le=65535)
    hls_port: int = Field(8888, ge=1, le=65535)
    webrtc_port: int = Field(8889, ge=1, le=65535)
    webrtc_udp_port: int = Field(8189, ge=1, le=65535)
    srt_port: int = Field(8890, ge=1, le=65535)
    rtsp_port: int = Field(8554, ge=1, le=65535)
    api_port: int = Field(9997, ge=1, le=65535)

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        for part in text.split():
            ip_network(part)
        return text

    @model_validator(mode="after")
    def _production_is_production(self) -> Self:
        if self.env == "development" and os.environ.get("ENV") == "production":
            raise ValueError(
                "CONTROL_PLANE_ENV=development is refused where ENV=production"
            )
        return self

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

    @property
    def development(self) -> bool:
        return self.env == "development"

    @property
    def provider_uid_accepted(self) -> bool:
        if self.accept_provider_uid is None:
            return self.development
        return self.accept_provider_uid

    @property
    def sandbox_purchases_accepted(self) -> bool:
        if self.sandbox_purchases is None:
            return self.development
        return self.sandbox_purchases

    @property
    def node_reaches_us_at(self) -> str:
        """The internal listener's address as a node sees it."""
        return self.internal_url or f"http://{self.internal_host}:{self.internal_port}"


def _is_service_account(text: str) -> bool:
    try:
        account = json.loads(text)
    except ValueError:
        return False
    needed = {"client_email", "private_key", "token_uri"}
    return isinstance(account, dict) and needed <= account.keys()


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Raises SettingsError with one sentence that names the wrong setting."""
    for name in FROM_FILES:
        _from_file(name, os.environ if environ is None else environ)
    try:
        return Settings.model_validate({})
    except ValidationError as error:
        raise SettingsError(_sentence(error)) from None


def _from_file(name: str, environ: Mapping[str, str]) -> None:
    path = environ.get(f"{name}_FILE")
    if not path or environ.get(name):
        return
    try:
        os.environ[name] = Path(path).read_text("utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{name}_FILE cannot be read: {error.strerror}.") from None


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    if not first["loc"]:
        return str(first["msg"]).removeprefix("Value error, ") + "."
    field = str(first["loc"][0])
    name = field if field.isupper() else PREFIX + field.upper()
    if first["type"] == "missing":
        return f"{name} is not set."
    return f"{name} is wrong: {first['msg'][0].lower()}{first['msg'][1:]}."
