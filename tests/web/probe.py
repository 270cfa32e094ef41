"""How long one callback keeps the event loop, in processor time: what other programs
take of a busy machine does not count, nor what other threads of this one do."""

import asyncio
import contextlib
import gc
import time
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass
class Held:
    """``worst``: seconds, since the last ``reset``."""

    worst: float = 0.0

    def reset(self) -> None:
        self.worst = 0.0


@contextlib.contextmanager
def holding() -> Iterator[Held]:
    """Of every loop of this process. What lives already is kept from the collector,
    as the service does it when it starts."""
    held = Held()
    original = asyncio.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        began = time.thread_time()
        original(handle)
        held.worst = max(held.worst, time.thread_time() - began)

    gc.collect()
    gc.freeze()
    asyncio.Handle._run = timed  # type: ignore[method-assign,assignment]
    try:
        yield held
    finally:
        asyncio.Handle._run = original  # type: ignore[method-assign]
        gc.unfreeze()
