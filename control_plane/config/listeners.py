"""Where the service listens, and who may call how often."""

from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from control_plane.config.concern import Concern
from control_plane.config.kinds import Address, Listed, Networks


class PublicSettings(Concern):
    """The apps' and viewers' listener."""

    public_host: str = "0.0.0.0"  # noqa: S104  (phones come from anywhere)
    public_port: int = Field(8080, ge=0, le=65535)
    public_url: Address = ""
    api_key: SecretStr = SecretStr("")
    cors_origins: Listed = "*"
    # Whose X-Forwarded headers are believed.
    trusted_proxies: Networks = "127.0.0.1 ::1"
    # The header in which such a proxy says where a caller is, as CF-IPCountry, and in
    # which of the nodes' regions places are that it calls otherwise: DE=eu AT=eu.
    region_header: str = ""
    regions: Listed = ""
    # Pages that follow what is live hold a connection each.
    event_streams: int = Field(10_000, ge=1)
    event_streams_per_address: int = Field(100, ge=1)
    # Videos and pictures that this server serves itself, under /media.
    media_folder: Path | None = None

    @field_validator("media_folder", mode="before")
    @classmethod
    def _is_none_or_named(cls, given: object) -> object:
        """An empty path would be this process's own folder."""
        return None if given == "" else given

    @field_validator("regions")
    @classmethod
    def _are_pairs(cls, text: str) -> str:
        for part in text.split():
            place, _, region = part.partition("=")
            if not place or not region:
                raise ValueError("each part is PLACE=REGION")
        return text


class InternalSettings(Concern):
    """The nodes' listener, and what operators scrape."""

    internal_host: str = "127.0.0.1"
    internal_port: int = Field(8081, ge=0, le=65535)
    internal_reuse_port: bool = False
    # Metrics and health of the roles that nodes do not call, on the same host.
    api_metrics_port: int = Field(8082, ge=0, le=65535)
    work_metrics_port: int = Field(8083, ge=0, le=65535)
    internal_url: Address = ""

    @property
    def node_reaches_us_at(self) -> str:
        """The internal listener's address as a node sees it."""
        return self.internal_url or f"http://{self.internal_host}:{self.internal_port}"


class OperatorSettings(Concern):
    """The operators' listener, for whoever has a token."""

    operator_host: str = "127.0.0.1"
    operator_port: int = Field(8084, ge=0, le=65535)
    # Of each token; 0: no limit.
    operator_requests_per_minute: int = Field(6000, ge=0)


class RateSettings(Concern):
    """Requests a minute; 0: no limit. Sign-in: of an address. The others: of a user,
    and ten times that of an address."""

    sign_ins_per_minute: int = Field(120, ge=0)
    money_per_minute: int = Field(300, ge=0)
    searches_per_minute: int = Field(120, ge=0)
    # What leaves a row behind: views, likes, follows, reports, starts and rights of
    # broadcasts.
    writes_per_minute: int = Field(300, ge=0)
