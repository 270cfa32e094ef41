"""A memory that is short in time and in size."""

import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Brief(Generic[Key, Value]):
    """Each value for its time, and the newest ``most`` only."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._kept: dict[Key, tuple[float, Value]] = {}  # the oldest first

    def get(self, key: Key) -> Value | None:
        until, value = self._kept.get(key, (0.0, None))
        return value if self._clock() < until else None

    def put(self, key: Key, value: Value, seconds: float) -> None:
        self._kept.pop(key, None)
        self._kept[key] = (self._clock() + seconds, value)
        if len(self._kept) > self._most:
            del self._kept[next(iter(self._kept))]
