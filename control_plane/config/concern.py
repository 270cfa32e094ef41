"""What every class of settings is."""

from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "CONTROL_PLANE_"


class Concern(BaseSettings):
    """One concern's settings. A variable's name is ``CONTROL_PLANE_`` and the field's
    name in capitals. ``reference.py`` makes a chapter of docs/settings.md of it: the
    docstring of each is its title, and below each field stands what it means."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, hide_input_in_errors=True, extra="ignore"
    )
