"""The log of events, who reads it, and where it is sent."""

from pydantic import Field

from control_plane.config.concern import Concern
from control_plane.config.kinds import Networks


class EventSettings(Concern):
    # Whole months that events are kept for; 0: for ever.
    event_months: int = Field(0, ge=0)
    # Private ones that webhooks may be sent to.
    webhook_networks: Networks = ""
    # How long each attempt to deliver is remembered.
    webhook_log_days: float = Field(30.0, gt=0)
