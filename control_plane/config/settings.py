"""Settings: read once, from the environment, typed.

Any secret may come from a file instead: ``NAME_FILE`` names it.
"""

import os
import re
from pathlib import Path

from pydantic import SecretStr, ValidationError

from control_plane.config.coins import AppStoreSettings, CoinSettings
from control_plane.config.concern import PREFIX
from control_plane.config.events import EventSettings
from control_plane.config.listeners import (
    InternalSettings,
    OperatorSettings,
    PublicSettings,
    RateSettings,
)
from control_plane.config.live import LiveSettings, NodeSettings
from control_plane.config.service import StoreSettings
from control_plane.config.sign_in import SignInSettings

#: Names like ours, of the command line and of a node's hook.
OTHERS = (
    *(f"{PREFIX}SERVER", f"{PREFIX}TOKEN_FILE", f"{PREFIX}UPGRADE_FROM"),
    *(f"{PREFIX}HOOK_SECRET", f"{PREFIX}HOOK_SECRET_FILE"),
)
UNPREFIXED = ("DATABASE_URL", "DATABASE_DIRECT_URL", "REDIS_URL")
FROM_FILES = (
    f"{PREFIX}SECRET",
    f"{PREFIX}OLD_SECRET",
    f"{PREFIX}API_KEY",
    f"{PREFIX}APP_STORE_PRIVATE_KEY",
    f"{PREFIX}GOOGLE_PLAY_ACCOUNT",
    f"{PREFIX}MIGRATIONS_URL",
    *UNPREFIXED,
)


_USER_IN_URL = re.compile(r"//[^/@]*@")


class SettingsError(Exception):
    """One sentence that names the setting."""


class Settings(
    StoreSettings,
    PublicSettings,
    InternalSettings,
    OperatorSettings,
    RateSettings,
    SignInSettings,
    CoinSettings,
    AppStoreSettings,
    LiveSettings,
    NodeSettings,
    EventSettings,
):
    """Everything that can be configured. Whoever needs only some of it says which."""


def load() -> Settings:
    """Raises SettingsError with one sentence that names the wrong setting."""
    given = {_field(name): text for name in FROM_FILES if (text := _from_file(name))}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        raise SettingsError(_sentence(error)) from None


def unread() -> list[str]:
    """What the environment names like a setting, and nobody reads: mostly a slip."""
    read = {name_of(field) for field in Settings.model_fields}
    read |= {*OTHERS, *(f"{name}_FILE" for name in FROM_FILES)}
    return sorted(
        name for name in os.environ if name.startswith(PREFIX) and name not in read
    )


def in_force(settings: Settings) -> dict[str, tuple[str, bool]]:
    """By name: each as text, and whether it is a secret, of which only ``set`` or
    ``unset`` is told."""
    return {
        name_of(field): _told(value) for field, value in settings.model_dump().items()
    }


def _told(value: object) -> tuple[str, bool]:
    if isinstance(value, SecretStr):
        return "set" if value.get_secret_value() else "unset", True
    return "" if value is None else _USER_IN_URL.sub("//", str(value)), False


def _field(name: str) -> str:
    return name.removeprefix(PREFIX).lower() if name.startswith(PREFIX) else name


def name_of(field: str) -> str:
    own = field.upper() in UNPREFIXED
    return field.upper() if own or field.isupper() else PREFIX + field.upper()


def _from_file(name: str) -> str:
    """Not into the environment, which every program that we start is given."""
    path = os.environ.get(f"{name}_FILE")
    if not path or os.environ.get(name):
        return ""
    try:
        return Path(path).read_text("utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{name}_FILE cannot be read: {error.strerror}.") from None


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    said = str(first["msg"]).removeprefix("Value error, ")
    if not first["loc"]:
        return f"{said}."
    field = str(first["loc"][0])
    name = name_of(field)
    if first["type"] == "missing":
        return f"{name} is not set."
    return f"{name} is wrong: {said[0].lower()}{said[1:]}."
