"""The log of events, who reads it, and where it is sent."""

from ipaddress import ip_network

from pydantic import Field, field_validator

from control_plane.config.concern import Concern


class EventSettings(Concern):
    # Whole months that events are kept for; 0: for ever.
    event_months: int = Field(0, ge=0)
    # Private networks or addresses, between blanks, that webhooks may be sent to.
    webhook_networks: str = ""
    # How long each attempt to deliver is remembered.
    webhook_log_days: float = Field(30.0, gt=0)

    @field_validator("webhook_networks")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        for part in text.split():
            ip_network(part)
        return text
