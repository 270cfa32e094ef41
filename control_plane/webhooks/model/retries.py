"""When what was not taken is tried again, and whether anything is tried at all."""

from dataclasses import dataclass
from datetime import timedelta

HOUR = 3600.0  # seconds
#: Before each further attempt; the last one again and again.
DELAYS = (1.0, 5.0, 30.0, 120.0, 600.0, 1800.0, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR)
JITTER = 0.25  # at most so much longer, so that not all come at once
GIVE_UP_AFTER = timedelta(hours=80)
SWITCH_OFF_AFTER = timedelta(days=5)

IN_A_ROW = 5  # failures that say the receiver is away, not one event at fault
PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)  # seconds
LONGEST_PAUSE = 24 * HOUR  # that a receiver may ask for
#: Between two attempts that fail. After more than that there was nothing to send, or
#: nobody to send it: those days say nothing about the receiver.
LONGEST_SILENCE = timedelta(hours=25)


def delay(attempts: int, chance: float) -> float:
    """Seconds until the next one, after so many. ``chance``: 0 to 1."""
    index = min(attempts, len(DELAYS)) - 1
    return DELAYS[max(index, 0)] * (1 + JITTER * chance)


@dataclass(slots=True)
class Circuit:
    """Whether a receiver is there. Once it is not, one attempt at a time finds out.
    Times are of the caller's clock."""

    failures: int = 0
    paused_until: float = 0.0
    asked_until: float = 0.0  # by the receiver
    taken: int = 0  # messages

    def tripped(self, now: float) -> bool:
        return self.failures >= IN_A_ROW or now < self.asked_until

    def away(self, now: float, taken: int | None) -> bool:
        """Whether an event that failed is not at fault. ``taken``: how many were when
        it failed before; None: it had not. Who asks to be left alone whenever this one
        comes, and takes others meanwhile, is there."""
        asks = now < self.asked_until and taken in (None, self.taken)
        return self.failures >= IN_A_ROW or asks

    def pause(self, now: float) -> float:
        """Seconds until the next attempt; below zero: at once."""
        return max(self.paused_until, self.asked_until) - now

    def took(self) -> None:
        self.failures, self.paused_until = 0, 0.0
        self.taken += 1

    def failed(self, now: float, chance: float) -> None:
        self.failures += 1
        if self.failures >= IN_A_ROW:
            index = min(self.failures - IN_A_ROW, len(PAUSES) - 1)
            self.paused_until = now + PAUSES[index] * (1 + JITTER * chance)

    def asked(self, now: float, retry_after: float) -> None:
        self.asked_until = now + min(max(retry_after, 0.0), LONGEST_PAUSE)
