"""Where the service listens, and who may call how often."""

from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from control_plane.config.concern import Concern
from control_plane.config.kinds import Address, Listed, Networks


class PublicSettings(Concern):
    """The apps' and viewers' listener."""

    public_host: str = "0.0.0.0"  # noqa: S104  (phones come from anywhere)
    """The address that it listens at."""
    public_port: int = Field(8080, ge=0, le=65535)
    """Its port."""
    public_url: Address = ""
    """How apps and viewers reach it, `https://…`; none: as each request says."""
    api_key: SecretStr = SecretStr("")
    """What apps have to send in the header `Api-Key`; none: nothing."""
    cors_origins: Listed = "*"
    """Whose web pages may call the API: origins between blanks; `*`: everybody's."""
    trusted_proxies: Networks = "127.0.0.1 ::1"
    """Whose `X-Forwarded` headers are believed: addresses or networks between
    blanks."""
    region_header: str = ""
    """In which such a proxy says where a caller is, as `CF-IPCountry`."""
    regions: Listed = ""
    """In which of the nodes' regions places are that the proxy calls otherwise:
    `DE=eu AT=eu`."""
    event_streams: int = Field(10_000, ge=1)
    """So many pages at most may follow what is live, for each process of `api`: each
    holds a connection."""
    event_streams_per_address: int = Field(100, ge=1)
    """So many of them of one address."""
    media_folder: Path | None = None
    """Videos and pictures that this server serves itself, under `/media`."""

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
    """The address that it listens at."""
    internal_port: int = Field(8081, ge=0, le=65535)
    """Its port, where nodes ask `auth`; its metrics and health too."""
    internal_reuse_port: bool = False
    """Several `auth` may listen at that port."""
    api_metrics_port: int = Field(8082, ge=0, le=65535)
    """Metrics and health of `api`, on the same host."""
    work_metrics_port: int = Field(8083, ge=0, le=65535)
    """Metrics and health of `work`, on the same host."""
    internal_url: Address = ""
    """How nodes reach it, `http://…`; none: at its host and port."""

    @property
    def node_reaches_us_at(self) -> str:
        """The internal listener's address as a node sees it."""
        return self.internal_url or f"http://{self.internal_host}:{self.internal_port}"


class OperatorSettings(Concern):
    """The operators' listener."""

    operator_host: str = "127.0.0.1"
    """The address that it listens at: the dashboard and `/v1`, in `work`."""
    operator_port: int = Field(8084, ge=0, le=65535)
    """Its port."""
    operator_requests_per_minute: int = Field(6000, ge=0)
    """Of each token; 0: no limit."""


class RateSettings(Concern):
    """How often apps may call.

    Requests a minute; 0: no limit. Sign-in: of an address. The others: of a user, and
    ten times that of an address.
    """

    sign_ins_per_minute: int = Field(120, ge=0)
    """Sign-ins, and questions whether a name or an address is free."""
    money_per_minute: int = Field(300, ge=0)
    """Gifts, tickets and payouts; purchases, counted apart."""
    searches_per_minute: int = Field(120, ge=0)
    """Searches."""
    writes_per_minute: int = Field(300, ge=0)
    """What leaves a row behind: views, likes, follows, reports, starts and rights of
    broadcasts."""
