"""The service as a whole."""

import os
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator

from control_plane.config.concern import Concern

SHORTEST = 32  # characters of a secret


class ServiceSettings(Concern):
    """The service as a whole."""

    env: Literal["development", "production"] = "production"
    """`development`: anyone may sign in as anyone. Refused where `ENV=production`."""
    secret: SecretStr = Field(min_length=SHORTEST)
    """What all other secrets are made from: 32 characters or more. Keep a copy."""
    old_secret: SecretStr = SecretStr("")
    """The one before: what it made counts as long as it stands here. Then tokens of it
    are signed out, and keys that it hashed have to be made again."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """What is logged at least: `debug`, `info`, `warning` or `error`."""

    @model_validator(mode="after")
    def _production_is_production(self) -> Self:
        if self.env == "development" and os.environ.get("ENV") == "production":
            raise ValueError(
                "CONTROL_PLANE_ENV=development is refused where ENV=production"
            )
        return self

    @field_validator("old_secret")
    @classmethod
    def _is_none_or_long(cls, old: SecretStr) -> SecretStr:
        if 0 < len(old.get_secret_value()) < SHORTEST:
            raise ValueError(f"it should have at least {SHORTEST} characters")
        return old

    @property
    def development(self) -> bool:
        return self.env == "development"


class StoreSettings(Concern):
    """Postgres, and Redis or Valkey."""

    database_url: SecretStr = Field(validation_alias=AliasChoices("DATABASE_URL"))
    """Postgres 15 or newer: `postgresql://user:password@host:5432/name`."""
    database_direct_url: SecretStr = Field(
        SecretStr(""), validation_alias=AliasChoices("DATABASE_DIRECT_URL")
    )
    """Past a pooler that `DATABASE_URL` leads to: notices, migrations and backups need
    connections of their own. None: there is no pooler."""
    postgres_connections: int = Field(default=10, ge=2, le=1000)
    """At most, of each role, besides those reserved for auth and going live."""
    redis_url: SecretStr = Field(validation_alias=AliasChoices("REDIS_URL"))
    """Redis 7 or newer, or Valkey: `redis://:password@host:6379/0`."""
    migrations_url: SecretStr = SecretStr("")
    """Of a role that owns the tables, so that the service's own need not. None: the
    service's owns them."""

    @field_validator("database_url", "database_direct_url", "migrations_url")
    @classmethod
    def _is_an_address(cls, given: SecretStr) -> SecretStr:
        if not _leads_to_postgres(given.get_secret_value()):
            raise ValueError(
                "it is no address of Postgres; write what is special in a password"
                " (/ # ? @ [ ]) as %2F %23 %3F %40 %5B %5D"
            )
        return given

    @property
    def pooled(self) -> bool:
        return bool(self.database_direct_url.get_secret_value())

    @property
    def direct_url(self) -> str:
        """Of Postgres itself."""
        direct = self.database_direct_url.get_secret_value()
        return direct or self.database_url.get_secret_value()


def _leads_to_postgres(url: str) -> bool:
    """Also the empty one, which is none."""
    if not url:
        return True
    try:
        parts = urlsplit(url)
        hosts = parts.netloc.rpartition("@")[2].split(",")
        ports = [urlsplit(f"//{host}").port for host in hosts]
    except ValueError:
        return False
    cut = parts.fragment or "@" in parts.path or 0 in ports
    return parts.scheme in ("postgresql", "postgres") and not cut
