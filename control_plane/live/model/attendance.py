"""Who watched a session, and for how long, as its host may know it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

MINUTE = 60  # seconds


@dataclass(frozen=True, slots=True)
class Span:
    """What was counted of a session between two moments, in unix seconds. It belongs
    to the minute in which it ends."""

    session_id: int
    since: float
    until: float
    viewer_seconds: float
    viewers_max: int

    @property
    def minute(self) -> int:
        """Its first second."""
        return int(self.until // MINUTE) * MINUTE

    def after(self, counted_until: float) -> "Span":
        """The part that nobody has counted yet: the process before this one may have,
        or another that looks at the same node for a moment."""
        if counted_until <= self.since:
            return self
        left = max(self.until - counted_until, 0.0)
        part = left / (self.until - self.since) if left else 0.0
        return replace(
            self,
            since=max(self.since, counted_until),
            viewer_seconds=self.viewer_seconds * part,
        )


def merged(before: Span | None, later: Span) -> Span:
    """Two of the same session and minute."""
    if before is None:
        return later
    return Span(
        later.session_id,
        min(before.since, later.since),
        max(before.until, later.until),
        before.viewer_seconds + later.viewer_seconds,
        max(before.viewers_max, later.viewers_max),
    )


@dataclass(frozen=True, slots=True)
class Minute:
    """One in which somebody watched."""

    minute: datetime
    viewers_max: int
    viewer_seconds: float


@dataclass(frozen=True, slots=True)
class Attended:
    unique_viewers: int
    viewer_seconds: float
    minutes: Sequence[Minute]


NOBODY = Attended(0, 0.0, ())
