"""What would be said again and again."""

import time

import structlog

log = structlog.get_logger(__name__)

TOLD_EVERY = 60.0  # seconds


class Seldom:
    """Says the same once a minute, and how often it would have said it."""

    def __init__(self) -> None:
        self._next = 0.0
        self._silent = 0

    def warn(self, event: str, **more: object) -> None:
        if time.monotonic() < self._next:
            self._silent += 1
            return
        log.warning(event, more=self._silent, **more)
        self._next, self._silent = time.monotonic() + TOLD_EVERY, 0
