"""Who was let in to watch: known before any list names them.

A hint bridges to the next answered look at a node that lists HLS viewers, and no
longer. Other nodes ask about every HLS request, so there a viewer counts until 10
seconds after the last.
"""

import contextlib
import time
from collections.abc import AsyncIterator

from control_plane.base.tasks import Loop
from control_plane.live.model.asking import Asking
from control_plane.live.model.viewers import WINDOW
from control_plane.live.store.places import Place
from control_plane.live.store.viewers import ViewerSets

FLUSH_EVERY = 0.5  # seconds
MOST_HINTS = 200_000

Seen = dict[Place, dict[str, float]]


class Hints:
    def __init__(self, sets: ViewerSets) -> None:
        self._sets = sets
        self._hints: Seen = {}
        self._steady: Seen = {}
        self._hinted = 0
        self._asking = Asking()

    def note(self, session_id: int, node: str, viewer: str, *, listed: bool) -> None:
        """Never waits. ``listed``: the node's lists will name this viewer, if it is
        one."""
        if self._hinted >= MOST_HINTS:
            return
        now = time.time()
        self._hints.setdefault((session_id, node), {})[viewer] = now
        self._hinted += 1
        if not listed and self._asking.steadily((session_id, viewer), now):
            self._steady.setdefault((session_id, node), {})[viewer] = now

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with Loop("hints", self._flush, FLUSH_EVERY).running():
            yield

    async def _flush(self) -> None:
        """While Redis is away hints are lost."""
        hints, self._hints, self._hinted = self._hints, {}, 0
        steady, self._steady = self._steady, {}
        before = time.time() - WINDOW
        await self._sets.hint("hints", hints, before)
        await self._sets.hint("steady", steady, before)
