"""Messages, and what becomes of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from control_plane.events.model import Subject

NO_ANSWER = 0
GONE = 410
ASKS_TO_WAIT = (429, 503)


@dataclass(frozen=True, slots=True)
class Message:
    """``number``: of the event in the log, 0 for what is not in it."""

    id: str
    number: int
    type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """``status``: 0: none came, and ``error`` says why. ``text``: its beginning."""

    status: int
    error: str = ""
    text: str = ""
    retry_after: float | None = None  # seconds

    @property
    def taken(self) -> bool:
        return 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        return self.status == GONE

    @property
    def reason(self) -> str:
        """Why it is not taken; nothing when it is."""
        if self.taken:
            return ""
        if self.status == NO_ANSWER:
            return self.error
        if 300 <= self.status < 400:
            return f"{self.status}: redirects are not followed"
        return f"{self.status}"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A line of the delivery log. ``id``: 0 until it is written."""

    endpoint_id: int
    event_id: int
    type: str
    status: int
    error: str
    milliseconds: int
    at: datetime
    id: int = 0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    event_id: int
    error: str
    died_at: datetime


@dataclass(frozen=True, slots=True)
class Parked:
    """A subject whose events wait from ``seq`` on. ``wait``: seconds from now."""

    subject: Subject
    subject_id: int
    seq: int
    attempts: int
    failed_since: datetime
    wait: float
    parked_at: datetime


class Sender(Protocol):
    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Never raises for what the receiver does."""
        ...
