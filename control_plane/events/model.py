"""Events: numbered facts about a session or a user."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Event:
    seq: int  # 1, 2, 3 … of its subject, without a gap
    type: str
    data: Mapping[str, object]
    at: datetime
