"""The log of events, who reads it, and where it is sent."""

from pydantic import Field

from control_plane.config.concern import Concern


class EventSettings(Concern):
    # Whole months that events are kept for; 0: for ever.
    event_months: int = Field(0, ge=0)
