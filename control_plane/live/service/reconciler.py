"""A round compares a node's own lists with our tables and repairs both."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Counter, Histogram

from control_plane.audit.log import acting
from control_plane.audit.model import DEADLINE
from control_plane.base.database import Pool
from control_plane.base.faults import Away
from control_plane.base.secrets import Derived
from control_plane.base.tasks import in_turns
from control_plane.live.model.bans import BanList
from control_plane.live.model.credentials import from_query
from control_plane.live.model.keys import all_hashes
from control_plane.live.model.nodes import Node, Publisher, View
from control_plane.live.model.permissions import KeyPermit, Standing, may_stay
from control_plane.live.model.sessions import EndReason, LiveSession
from control_plane.live.model.viewers import Audience
from control_plane.live.service.counting import Counting, Tally
from control_plane.live.service.lifecycle import Lifecycle, Source
from control_plane.live.service.measuring import Measuring
from control_plane.live.service.nodes import Nodes
from control_plane.live.store import bans, keys, sessions
from control_plane.live.store import grants as grant_store

log = structlog.get_logger(__name__)

LOST_AFTER = timedelta(seconds=30)
#: An encoder let in at the last moment is listed seconds later.
PUBLISH_GRACE = timedelta(seconds=15)

ROUNDS = Histogram(
    "control_plane_round_duration_seconds",
    "One comparison of a node's lists with the tables, its waiting included.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
LOOKS = Counter(
    "control_plane_node_looks_total",
    "Looks at a node's lists: answered, refused (nobody listens) or silent.",
    ["node", "answer"],
)
REPAIRS = Counter(
    "control_plane_repairs_total",
    "What rounds put right: lost or found publishers, kicked ones, sessions overdue.",
    ["repair"],
)


class Reconciler:
    def __init__(
        self,
        pool: Pool,
        nodes: Nodes,
        lifecycle: Lifecycle,
        counting: Counting,
        measuring: Measuring,
        *,
        peppers: Derived,
    ) -> None:
        self._pool = pool
        self._nodes = nodes
        self._lifecycle = lifecycle
        self._counting = counting
        self._measuring = measuring
        self._peppers = peppers
        self._known_sessions: dict[str, list[LiveSession]] = {}

    async def round(self, node: Node) -> None:
        with ROUNDS.time():
            if node.role == "origin":
                await self._round(node)
            else:
                await self._round_at_edge(node)

    async def _round_at_edge(self, node: Node) -> None:
        tally = self._counting.look(node.name)
        view = await self._look(node, tally)
        if view.answer == "answered":
            await self._count_at_edge(node, tally)

    async def _look(self, node: Node, tally: Tally, *, quiet: bool = False) -> View:
        view = await self._nodes.api(node).look(tally.take, quiet=quiet)
        LOOKS.labels(node.name, view.answer).inc()
        await self._mark_heard(node, view, tally)
        return view

    async def _round(self, node: Node) -> None:
        """One pass. The tables are read before the lists are asked for: a publisher
        that stands there and is missing from the lists is gone, not yet to come."""
        known = await sessions.open_on_node(self._pool, node.name)
        at = await sessions.clock(self._pool)
        tally = self._counting.look(node.name)
        view = await self._look(node, tally, quiet=not known)
        if view.answer == "silent":
            return
        await self._lost_publishers(node, view, known)
        await self._listed_publishers(node, view, known, at)
        with acting(DEADLINE):
            await self._deadlines(node, view, at)
        current = await sessions.open_on_node(self._pool, node.name)
        self._known_sessions[node.name] = current
        if view.answer == "answered":
            await self._count(tally, view, current)
            await self._measuring.look(node, view.publishers, current)

    async def count_only(self, node: Node) -> None:
        """While Postgres is away: viewers are counted and no session changes."""
        known = self._known_sessions.get(node.name, [])
        tally = self._counting.look(node.name)
        view = await self._nodes.api(node).look(tally.take)
        if view.answer != "answered":
            return
        if node.role == "origin":
            await self._counting.count(tally, known, lists_hls=view.lists_hls)
        else:
            await self._beat(tally, self._counting.saw(tally), known)

    def forget(self, name: str) -> None:
        """The node is another's from here on, or gone."""
        self._known_sessions.pop(name, None)
        self._counting.drop_node(name)
        self._measuring.drop_node(name)

    async def _mark_heard(self, node: Node, view: View, tally: Tally) -> None:
        """A time-out says nothing about the streams: of them nothing changes."""
        if view.answer != "answered":
            if await self._nodes.unheard(node.name, LOST_AFTER, view.reason):
                log.warning("node lost", node=node.name, reason=view.reason)
            return
        if await self._nodes.heard(node.name, view.started, tally.bits):
            log.warning("node restarted", node=node.name)

    async def _lost_publishers(
        self, node: Node, view: View, known: Sequence[LiveSession]
    ) -> None:
        listed = {(p.path, p.source_id) for p in view.publishers}
        for session in known:
            if session.publisher_id is None or session.status != "live":
                continue
            if (session.path, session.publisher_id) in listed:
                continue
            source = Source(
                node.name,
                session.path,
                session.publisher_type or "",
                session.publisher_id,
            )
            if await self._lifecycle.not_ready(source):
                REPAIRS.labels("lost").inc()

    async def _listed_publishers(
        self, node: Node, view: View, known: Sequence[LiveSession], at: datetime
    ) -> None:
        if node.closed:
            async for publisher in in_turns(view.publishers):
                await self._kick(node, publisher, "node_closed")
            return
        if not view.publishers:
            return
        settled = {
            (s.path, s.publisher_id): s.publisher_key_id
            for s in known
            if s.status == "live"
        }
        paths = list({publisher.path for publisher in view.publishers})
        permissions = await keys.permissions(self._pool, paths)
        key_ids = await self._keys(node, view.publishers)
        banned = BanList(await bans.of_clients(self._pool))
        async for publisher in in_turns(view.publishers):
            permission = permissions.get(publisher.path)
            key_id = key_ids.get(publisher.source_id)
            standing = Standing(publisher.path, publisher.source_id, permission, key_id)
            if _is_banned(banned, publisher, standing.key):
                await self._kick(node, publisher, "banned")
                continue
            source = publisher.path, publisher.source_id
            # Its key may have become known after it did.
            news = source not in settled or (key_id and not settled[source])
            await self._judge(node, publisher, standing, at if news else None)

    async def _keys(
        self, node: Node, publishers: Sequence[Publisher]
    ) -> dict[str, int]:
        """By source id, which key let it in. Where nobody remembers, its own query may
        show it."""
        ids = [publisher.source_id for publisher in publishers]
        grants = await grant_store.of(self._pool, node.name, ids)
        known = {i: one.key_id for i, one in grants.items() if one.key_id is not None}
        shown = {
            one.source_id: (one.path, all_hashes(self._peppers, from_query(one.query)))
            for one in publishers
            if one.source_id not in known and from_query(one.query)
        }
        if not shown:
            return known
        found = await keys.find(self._pool, shown)
        for source_id, key_id in found.items():
            path, _ = shown[source_id]
            await grant_store.add(self._pool, node.name, source_id, path, key_id)
        return known | found

    async def _judge(
        self,
        node: Node,
        publisher: Publisher,
        standing: Standing,
        at: datetime | None,
    ) -> None:
        """``at``: when the list was asked for; None: the tables know already that it
        publishes."""
        reason = may_stay(standing, datetime.now(UTC))
        if reason != "ok":
            await self._kick(node, publisher, reason)
        elif publisher.ready and at is not None:
            source = Source(
                node.name, publisher.path, publisher.source_type, publisher.source_id
            )
            outcome = await self._lifecycle.ready(source, listed_at=at)
            if outcome in ("started", "resumed"):
                REPAIRS.labels("found").inc()
            if outcome == "refused":
                await self._kick(node, publisher, "session_over")

    async def _kick(self, node: Node, publisher: Publisher, reason: str) -> None:
        REPAIRS.labels("kicked").inc()
        log.info("kicked", node=node.name, path=publisher.path, reason=reason)
        await self._nodes.api(node).kick(publisher.source_type, publisher.source_id)

    async def _deadlines(self, node: Node, view: View, at: datetime) -> None:
        """Enforced only after a list taken later than the deadline lacks the
        publisher, or when the node is gone."""
        there = {publisher.path for publisher in view.publishers}
        for session in await sessions.past_reconnect_deadline(
            self._pool, node.name, at, PUBLISH_GRACE
        ):
            if session.path not in there:
                gone = view.answer == "refused"
                await self._end(session, "node_lost" if gone else "disconnected")
        used = self._lifecycle.spans.used_within
        for session in await sessions.never_published(
            self._pool, node.name, at, PUBLISH_GRACE, used
        ):
            if session.path not in there:
                await self._end(session, "expired")
        for session in await sessions.too_long(self._pool, node.name, at):
            await self._end(session, "too_long")
            for publisher in view.publishers:
                if publisher.path == session.path:
                    await self._kick(node, publisher, "too_long")

    async def _end(self, session: LiveSession, reason: EndReason) -> None:
        if await self._lifecycle.end_overdue(session, reason):
            REPAIRS.labels("overdue").inc()

    async def _count(
        self, tally: Tally, view: View, current: Sequence[LiveSession]
    ) -> None:
        confirmed = await self._counting.count(tally, current, lists_hls=view.lists_hls)
        peaks = {session.id: session.peak_viewers for session in current}
        higher = [(i, n) for i, n in confirmed.items() if n > peaks[i]]
        if higher:
            await sessions.raise_peaks(self._pool, higher)

    async def _count_at_edge(self, node: Node, tally: Tally) -> None:
        audiences = self._counting.saw(tally)
        there = await sessions.open_at_paths(self._pool, list(audiences))
        self._known_sessions[node.name] = there
        await self._beat(tally, audiences, there)

    async def _beat(
        self,
        tally: Tally,
        audiences: Mapping[str, Audience],
        there: Sequence[LiveSession],
    ) -> None:
        try:
            await self._counting.beat(tally, audiences, there)
        except Away as error:
            log.warning("viewers not counted", error=type(error).__name__)


def _is_banned(bans: BanList, publisher: Publisher, key: KeyPermit | None) -> bool:
    now = time.time()
    if key is not None and bans.has_device(key.device, now):
        return True
    return bans.has_address(publisher.address, now)
