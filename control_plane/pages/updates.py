"""What the pages need from the service."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

#: A session as the pages' scripts read it; the keys stand in static/watch.js.
Snapshot = Mapping[str, object]


class NoSuchStream(LookupError):
    """There is neither a session nor a channel of this name."""


class LiveUpdates(Protocol):
    """Every iterator gives the present state at once, then each change, and ends
    when the service shuts down."""

    def subscribe(
        self, name: str
    ) -> AbstractAsyncContextManager[AsyncIterator[Snapshot | None]]:
        """One session by its id, or the newest of a channel by its name. None: a
        channel that was never live. Raises NoSuchStream."""
        ...

    def subscribe_list(
        self,
    ) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Snapshot]]]:
        """What is live, most watched first."""
        ...

    async def hls_urls(self, host: str) -> Iterable[str]:
        """Where viewers who reached us as ``host`` fetch HLS: every node's public
        address. The pages may connect there and nowhere else."""
        ...
