"""Who asks again and again, where a node asks us about every request and lists no one:
a viewer does for as long as it watches, and a single request proves nothing."""

from control_plane.live.model.viewers import WINDOW

STEADY_AFTER = 2.0  # seconds
MOST = 50_000

Who = tuple[int, str]  # session, viewer


class Asking:
    def __init__(self) -> None:
        self._times: dict[Who, tuple[float, float]] = {}  # first, last

    def steadily(self, who: Who, now: float) -> bool:
        """Note that it asked. True once it has for a while."""
        first, last = self._times.get(who, (now, now))
        if last < now - WINDOW:
            first = now
        if who not in self._times and len(self._times) >= MOST:
            self._times.clear()
        self._times[who] = (first, now)
        return first <= now - STEADY_AFTER
