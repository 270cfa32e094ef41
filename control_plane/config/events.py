"""The log of events, who reads it, and where it is sent."""

from pydantic import Field

from control_plane.config.concern import Concern
from control_plane.config.kinds import Networks


class EventSettings(Concern):
    """Events and webhooks."""

    event_months: int = Field(0, ge=0)
    """Whole months that events are kept for; 0: for ever."""
    webhook_networks: Networks = ""
    """Private networks or addresses that webhooks may be sent to, between blanks."""
    webhook_log_days: float = Field(30.0, gt=0)
    """How long each attempt to deliver is remembered."""
