"""Who was let in to watch: known before any list names them.

A hint bridges to the next answered look at a node that lists HLS viewers, and no
longer. Other nodes ask about every HLS request, so there a viewer counts until 10
seconds after the last, and so at edges, since a session's viewers may be at many.
Caches ask again and again about everybody who plays: nothing else is known of their
viewers.
"""

import contextlib
import time
from collections.abc import AsyncIterator, Set

from control_plane.base.faults import Away
from control_plane.base.tasks import Loop
from control_plane.base.tokens import ViewerToken
from control_plane.live.model.asking import Asking
from control_plane.live.model.edges import BEAT
from control_plane.live.model.viewers import WINDOW
from control_plane.live.store.beats import Beats
from control_plane.live.store.places import Place
from control_plane.live.store.unlisted import ByReader, UnlistedTokens
from control_plane.live.store.viewers import ViewerSets

FLUSH_EVERY = 0.5  # seconds
MOST_HINTS = 200_000

Seen = dict[Place, dict[str, float]]


class Hints:
    def __init__(
        self, sets: ViewerSets, beats: Beats, unlisted: UnlistedTokens
    ) -> None:
        self._sets = sets
        self._unlisted = unlisted
        self._tokens: dict[int, ByReader] = {}
        self._beats = beats
        self._hints: Seen = {}
        self._steady: Seen = {}
        self._coming: Seen = {}
        self._beating: Seen = {}
        self._waiting: Seen = {}
        self._asked: dict[str, int] = {}
        self._staying: dict[str, dict[str, float]] = {}
        self._hinted = 0
        self._asking = Asking()
        self._caches: Set[str] = frozenset()
        self._missed: Set[str] = frozenset()  # caches, of whom something was lost

    def know_caches(self, names: Set[str]) -> None:
        """All that these ask is noted here."""
        self._caches = names

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

    def come(self, place: Place, viewer: str, *, listed: bool) -> None:
        """At an edge, never waits. ``place``: of the origin; ``listed``: as above."""
        if self._hinted >= MOST_HINTS:
            return
        now = time.time()
        self._coming.setdefault(place, {})[viewer] = now + WINDOW
        self._hinted += 1
        if not listed and self._asking.steadily((place[0], viewer), now):
            self._beating.setdefault(place, {})[viewer] = now + WINDOW

    def ask(self, cache: str, place: Place, viewer: str, *, live: bool) -> None:
        """At a cache, which asks again for as long as this viewer plays, never waits.
        While the encoder is away only who counts already goes on to."""
        if self._hinted < MOST_HINTS:
            seen = self._beating if live else self._waiting
            seen.setdefault(place, {})[viewer] = time.time() + BEAT
            self._hinted += 1
            self._asked[cache] = self._asked.get(cache, 0) + 1

    def unlisted(self, session_id: int, reader_id: str, token: ViewerToken) -> None:
        """The node's lists will name this reader, and not its token. Never waits."""
        if self._hinted < MOST_HINTS:
            self._tokens.setdefault(session_id, {})[reader_id] = token
            self._hinted += 1

    def stay(self, edge: str, viewer: str) -> None:
        """At a cache that drains, never waits."""
        self._staying.setdefault(edge, {})[viewer] = time.time() + BEAT

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        try:
            async with Loop("hints", self.flush, FLUSH_EVERY).running():
                yield
        finally:
            with contextlib.suppress(Away):
                await self.flush()

    async def flush(self) -> None:
        """What was noted stands in Redis; while that is away it is lost."""
        hints, self._hints, self._hinted = self._hints, {}, 0
        steady, self._steady = self._steady, {}
        coming, self._coming = self._coming, {}
        beating, self._beating = self._beating, {}
        waiting, self._waiting = self._waiting, {}
        asked, self._asked = self._asked, {}
        tokens, self._tokens = self._tokens, {}
        staying, self._staying = self._staying, {}
        now = time.time()
        missed, self._missed = self._missed, self._caches
        await self._unlisted.keep(tokens)
        await self._sets.hint("hints", hints, now - WINDOW)
        await self._sets.hint("steady", steady, now - WINDOW)
        await self._beats.come(coming, now)
        await self._beats.beat(beating, now)
        await self._beats.go_on(waiting)
        await self._beats.asked(asked, now)
        await self._beats.stay(staying, now)
        await self._beats.hears(self._caches, now, anew=missed)
        self._missed = frozenset()
