"""What must always be true, held against every commit, every answer and every node."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from control_plane.base.secrets import Secrets
from control_plane.base.tokens import read_viewer
from control_plane.coins.store import audit
from control_plane.live.model.keys import hash_key
from tests.simulator.plane import ROUND, SECRET
from tests.simulator.postgres import Said

if TYPE_CHECKING:
    from tests.simulator.node import Connection, Node
    from tests.simulator.world import World

OPEN = ("created", "live", "reconnecting")
BECOMES = {
    ("new", "created"),
    ("new", "live"),
    ("created", "created"),  # at another node
    ("created", "live"),
    ("created", "ended"),
    ("created", "expired"),
    ("live", "live"),
    ("live", "reconnecting"),
    ("live", "ended"),
    ("reconnecting", "reconnecting"),  # as above
    ("reconnecting", "live"),
    ("reconnecting", "ended"),
}
#: What may be said of a session that is over.
AFTERWARDS = {"live.policy", "viewer.denied", "live.announced"}
ONLY_LIVE = {"gift.sent", "live.heartbeat"}
#: Without notices remembered permissions count for 30 s, and a heartbeat more.
STALE = 34.0
#: A process may stand still, or wait for Postgres, between a look and what it decides.
OLD_VIEW = 13.0
AUTH_WITHIN = 0.25


class Broken(AssertionError):
    """Something that must be true is not."""


@dataclass(frozen=True, slots=True)
class Event:
    id: int
    subject: str
    subject_id: int
    seq: int
    type: str

    @property
    def about(self) -> tuple[str, int]:
        return self.subject, self.subject_id


@dataclass(slots=True)
class Session:
    id: int
    path: str
    user_id: int
    node: str
    status: str
    publisher: str


class Oracle:
    def __init__(self, world: "World") -> None:
        self._world = world
        self._peppers = Secrets(SECRET).key_peppers()
        self._viewer_key = Secrets(SECRET).viewer_tokens()
        self.sessions: dict[int, Session] = {}
        self.events: list[Event] = []
        self.said: dict[tuple[str, int], int] = {}
        self.refunded: dict[int, int] = {}  # coins, by ticket
        self.broken: list[str] = []
        self._kinds: dict[str, Callable[[str], None]] = {
            "session": self._session,
            "event": self._event,
        }

    def check(self, true: object, otherwise: str) -> None:
        if not true:
            self.broken.append(otherwise)
            self._world.note("BROKEN", otherwise)

    # Every commit.

    def committed(self, said: Said) -> None:
        for one in said:
            kind, _, rest = one.partition("|")
            tell = self._kinds.get(kind)
            if tell is not None:
                tell(rest)

    def _session(self, text: str) -> None:
        number, path, user, node, before, after, old, new = text.split("|")
        self._world.note("session", f"{number} {before} -> {after} {new[:8]}")
        known = self.sessions.get(int(number))
        if known is None:
            known = Session(int(number), path, int(user), node, "new", "")
            self.sessions[known.id] = known
        self.check(
            before == known.status and (before, after) in BECOMES,
            f"session {number} was {known.status} and went from {before} to {after}",
        )
        if (before, after) == ("live", "reconnecting"):
            self._went(known, old)
        known.node, known.status, known.publisher = node, after, new

    def _went(self, session: Session, publisher: str) -> None:
        node = self._world.nodes[session.node]
        there = node.paths.get(session.path)
        self.check(
            there is None or there.id != publisher,
            f"session {session.id} waits for {publisher[:8]}, who publishes",
        )

    def _event(self, text: str) -> None:
        number, subject, subject_id, seq, kind, data = text.split("|", 5)
        event = Event(int(number), subject, int(subject_id), int(seq), kind)
        before = self.said.get(event.about, 0)
        self.check(
            event.seq == before + 1,
            f"{subject} {subject_id} had event {before}, now {seq} ({kind})",
        )
        self.said[event.about] = event.seq
        self.events.append(event)
        self._world.note("event", f"{subject} {subject_id} {seq} {kind} {data}")
        if subject == "session":
            self._of_session(event, data)
        elif kind == "ticket.refunded":
            self._refunded(json.loads(data))

    def _refunded(self, data: Mapping[str, int]) -> None:
        ticket_id = data["ticket_id"]
        again = ticket_id in self.refunded
        self.check(not again, f"ticket {ticket_id} is given back again")
        self.refunded[ticket_id] = data["coin"]

    def _of_session(self, event: Event, data: str) -> None:
        session = self.sessions[event.subject_id]
        kind, status = event.type, session.status
        over = status not in OPEN and kind not in ("live.ended", "live.expired")
        self.check(
            not over or kind in AFTERWARDS, f"{kind} of session {session.id}, {status}"
        )
        if kind in ONLY_LIVE:
            self.check(status == "live", f"{kind} of session {session.id}, {status}")
        if kind == "live.ended" and ("disconnected" in data or "node_lost" in data):
            self._was_left(session)

    def _was_left(self, session: Session) -> None:
        there = self._world.nodes[session.node].paths.get(session.path)
        since = None if there is None else there.ready_since
        self.check(
            since is None or self._world.loop.time() - since < OLD_VIEW,
            f"session {session.id} ended though it has had a picture since {since}",
        )

    # Every answer to a node.

    def took(self, who: str, seconds: float) -> None:
        self.check(seconds <= AUTH_WITHIN, f"{who} answered after {seconds:.3f} s")

    def answered(
        self, node: "Node", one: "Connection", action: str, *, allowed: bool
    ) -> None:
        verdict = "allowed" if allowed else "denied"
        self._world.note(node.name, f"{one.id[:8]} {action} {one.path} {verdict}")
        if allowed and action == "publish":
            closed = self.closed_since(one)
            late = None if closed is None else self._world.wall() - closed.timestamp()
            self.check(
                late is None or late < STALE,
                f"{one.path} opened {late} s after its key was closed",
            )

    def closed_since(self, one: "Connection") -> datetime | None:
        """When the key of this publisher stopped opening anything."""
        rows = self._world.postgres.fetch(
            "SELECT k.revoked_at, k.superseded_at, k.closes_at, u.banned_at, s.ended_at"
            " FROM stream_keys k JOIN users u ON u.id = k.user_id"
            " LEFT JOIN live_streaming_sessions s ON s.id = k.session_id"
            " LEFT JOIN channels c ON c.id = k.channel_id"
            " WHERE k.hash = $1 AND coalesce(s.path, c.path) = $2",
            hash_key(self._peppers, one.secret),
            one.path,
        )
        self.check(rows, f"{one.path} opened with a key that nobody made")
        now = datetime.fromtimestamp(self._world.wall(), UTC)
        times = [at for at in (rows[0] if rows else ()) if at is not None and at <= now]
        return min(times, default=None)

    # Two rounds after the last fault.

    def settled(self) -> None:
        for node in self._world.nodes.values():
            for one in node.paths.values():
                self._publishes_rightly(node, one)
            for one in node.viewers.values():
                self._watches_rightly(node, one)
        for session in self.sessions.values():
            if session.status == "live":
                there = self._world.nodes[session.node].paths.get(session.path)
                self.check(
                    there is not None and there.id == session.publisher,
                    f"session {session.id} is live and nobody publishes",
                )
        self._no_late_deadlines()

    def _publishes_rightly(self, node: "Node", one: "Connection") -> None:
        live = [
            s
            for s in self.sessions.values()
            if (s.path, s.node, s.publisher, s.status)
            == (one.path, node.name, one.id, "live")
        ]
        self.check(live, f"{one.id[:8]} publishes {one.path}, and no session is live")
        rows = self._world.postgres.fetch(
            "SELECT k.revoked_at IS NOT NULL OR k.superseded_at IS NOT NULL"
            " OR u.banned_at IS NOT NULL OR s.ended_at IS NOT NULL"
            " FROM stream_keys k JOIN users u ON u.id = k.user_id"
            " LEFT JOIN live_streaming_sessions s ON s.id = k.session_id"
            " WHERE k.hash = $1",
            hash_key(self._peppers, one.secret),
        )
        self.check(not rows[0][0], f"{one.id[:8]} publishes with a dead key")

    def _watches_rightly(self, node: "Node", one: "Connection") -> None:
        token = read_viewer(self._viewer_key, one.secret, None)
        rows = self._world.postgres.fetch(
            "SELECT count(*) FROM live_streaming_sessions s JOIN users u ON u.id = $2"
            " LEFT JOIN viewer_denials d ON d.session_id = s.id"
            " AND (d.user_id = u.id OR d.viewer = $3)"
            " WHERE s.path = $1 AND s.ended_at IS NULL AND u.banned_at IS NULL"
            " AND (d.session_id IS NULL OR d.epoch IS NOT NULL)"
            " AND greatest(s.token_epoch, d.epoch) <= $4 AND (s.policy <> 'paid'"
            " OR EXISTS (SELECT FROM tickets t WHERE t.session_id = s.id"
            " AND t.user_id = u.id AND t.refund_transfer_id IS NULL))",
            *(token.path, token.user_id, token.viewer, token.epoch),
        )
        self.check(rows[0][0], f"{one.id[:8]} watches {one.path} of {node.name} still")

    def _no_late_deadlines(self) -> None:
        rows = self._world.postgres.fetch(
            "SELECT id, status, reconnect_until FROM live_streaming_sessions"
            " WHERE status = 'reconnecting'"
            " AND reconnect_until + make_interval(secs => $1) < clock_timestamp()",
            3 * ROUND,
        )
        for row in rows:
            self.check(None, f"session {row[0]} still waits, until {row[2]}")

    def ledger(self) -> None:
        for name, query in audit._CHECKS.items():
            faults = self._world.postgres.fetch(query)[0][0]
            self.check(not faults, f"ledger: {name}: {faults}")
