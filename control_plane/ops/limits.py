"""How often each token may ask, as this process counts it."""

from dataclasses import dataclass

MINUTE = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Left:
    """``reset``: seconds until all of it is there again."""

    most: int
    remaining: int
    reset: int

    @property
    def exceeded(self) -> bool:
        return self.remaining < 0

    @property
    def headers(self) -> dict[str, str]:
        """None where there is no limit."""
        if not self.most:
            return {}
        found = {
            "RateLimit-Limit": str(self.most),
            "RateLimit-Remaining": str(max(self.remaining, 0)),
            "RateLimit-Reset": str(self.reset),
        }
        return found | ({"Retry-After": str(self.reset)} if self.exceeded else {})


class Budget:
    def __init__(self, per_minute: int) -> None:
        """0: no limit."""
        self._most = per_minute
        self._used: dict[int, tuple[float, int]] = {}  # since when, and how many

    def take(self, token_id: int, now: float) -> Left:
        if not self._most:
            return Left(0, 0, 0)
        since, used = self._used.get(token_id, (now, 0))
        if now - since >= MINUTE:
            since, used = now, 0
        self._used[token_id] = since, min(used + 1, self._most + 1)
        return Left(self._most, self._most - used - 1, int(since + MINUTE - now) + 1)
