"""What every class of settings is."""

from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "CONTROL_PLANE_"


class Concern(BaseSettings):
    """One concern's settings. A variable's name is ``CONTROL_PLANE_`` and the field's
    name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, hide_input_in_errors=True, extra="ignore"
    )
