"""Who was let in to watch: known before any list names them.

A hint bridges to the next answered look at a node that lists HLS viewers, and no
longer. Other nodes ask about every HLS request, so there a viewer counts until 10
seconds after the last, and so at edges, since a session's viewers may be at many.
Caches ask again and again about everybody who plays: nothing else is known of their
viewers.
"""

import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Set
from dataclasses import dataclass, field
from functools import partial

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
Write = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Noted:
    """By the place of each session, or the cache that asked."""

    hints: Seen = field(default_factory=dict)
    steady: Seen = field(default_factory=dict)
    coming: Seen = field(default_factory=dict)
    waiting: Seen = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    staying: dict[str, dict[str, float]] = field(default_factory=dict)
    beating: Seen = field(default_factory=dict)

    @property
    def nodes(self) -> set[str]:
        seen = self.hints, self.steady, self.coming, self.waiting
        there = {node for places in seen for _, node in places}
        return there.union(self.asked, self.staying)

    def at(self, nodes: Set[str]) -> "Noted":
        """But for who beats, which stands with no node alone."""
        return Noted(
            _at(nodes, self.hints),
            _at(nodes, self.steady),
            _at(nodes, self.coming),
            _at(nodes, self.waiting),
            {one: count for one, count in self.asked.items() if one in nodes},
            {one: who for one, who in self.staying.items() if one in nodes},
        )


class Hints:
    def __init__(
        self, sets: ViewerSets, beats: Beats, unlisted: UnlistedTokens
    ) -> None:
        self._sets = sets
        self._unlisted = unlisted
        self._tokens: dict[int, ByReader] = {}
        self._beats = beats
        self._noted = Noted()
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
        self._noted.hints.setdefault((session_id, node), {})[viewer] = now
        self._hinted += 1
        if not listed and self._asking.steadily((session_id, viewer), now):
            self._noted.steady.setdefault((session_id, node), {})[viewer] = now

    def come(self, place: Place, viewer: str, *, listed: bool) -> None:
        """At an edge, never waits. ``place``: of the origin; ``listed``: as above."""
        if self._hinted >= MOST_HINTS:
            return
        now = time.time()
        self._noted.coming.setdefault(place, {})[viewer] = now + WINDOW
        self._hinted += 1
        if not listed and self._asking.steadily((place[0], viewer), now):
            self._noted.beating.setdefault(place, {})[viewer] = now + WINDOW

    def ask(self, cache: str, place: Place, viewer: str, *, live: bool) -> None:
        """At a cache, which asks again for as long as this viewer plays, never waits.
        While the encoder is away only who counts already goes on to."""
        if self._hinted < MOST_HINTS:
            noted = self._noted
            seen = noted.beating if live else noted.waiting
            seen.setdefault(place, {})[viewer] = time.time() + BEAT
            self._hinted += 1
            noted.asked[cache] = noted.asked.get(cache, 0) + 1

    def unlisted(self, session_id: int, reader_id: str, token: ViewerToken) -> None:
        """The node's lists will name this reader, and not its token. Never waits."""
        if self._hinted < MOST_HINTS:
            self._tokens.setdefault(session_id, {})[reader_id] = token
            self._hinted += 1

    def stay(self, edge: str, viewer: str) -> None:
        """At a cache that drains, never waits."""
        self._noted.staying.setdefault(edge, {})[viewer] = time.time() + BEAT

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        try:
            async with Loop("hints", self.flush, FLUSH_EVERY).running():
                yield
        finally:
            with contextlib.suppress(Away):
                await self.flush()

    async def flush(self) -> None:
        """What was noted stands in Redis; what a server of it would hold that is away
        is lost."""
        noted, self._noted, self._hinted = self._noted, Noted(), 0
        tokens, self._tokens = self._tokens, {}
        missed, self._missed = self._missed, self._caches
        writes: list[Write] = [
            partial(self._unlisted.keep, tokens),
            partial(self._beats.beat, noted.beating, time.time()),
        ]
        for nodes in await self._beats.by_server(noted.nodes | self._caches):
            writes.append(partial(self._write_at, nodes, noted.at(nodes), missed))
        await _each(writes)

    async def _write_at(self, nodes: Set[str], noted: Noted, missed: Set[str]) -> None:
        now = time.time()
        await self._sets.hint("hints", noted.hints, now - WINDOW)
        await self._sets.hint("steady", noted.steady, now - WINDOW)
        await self._beats.come(noted.coming, now)
        await self._beats.go_on(noted.waiting)
        await self._beats.asked(noted.asked, now)
        await self._beats.stay(noted.staying, now)
        await self._beats.hears(nodes & self._caches, now, anew=missed)
        self._missed = self._missed - nodes


async def _each(writes: Iterable[Write]) -> None:
    """Whatever is away for another. Raises Away at the end."""
    away: Away | None = None
    for write in writes:
        try:
            await write()
        except Away as error:
            away = away or error
    if away is not None:
        raise away


def _at(nodes: Set[str], seen: Seen) -> Seen:
    return {place: who for place, who in seen.items() if place[1] in nodes}
