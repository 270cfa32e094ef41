"""Going live: starting and ending one's broadcast."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from control_plane.base.database import Connection, Pool
from control_plane.base.faults import Missing, Taken
from control_plane.base.refusals import BadInput, Empty, Refusal, Unavailable
from control_plane.base.secrets import Derived
from control_plane.events import store as events
from control_plane.events.log import append_session_event, append_user_event
from control_plane.events.model import Event
from control_plane.live.model.attendance import Attended
from control_plane.live.model.keys import NewKey, hash_key, hint, new_key
from control_plane.live.model.nodes import Node
from control_plane.live.model.rights import WatchTerms
from control_plane.live.model.sessions import OPEN, EndReason, LiveSession
from control_plane.live.service import key_events
from control_plane.live.service.cutting import Cutter
from control_plane.live.service.lifecycle import Lifecycle
from control_plane.live.service.nodes import NO_NODE, Nodes
from control_plane.live.service.rights import set_policy
from control_plane.live.store import attendance, openings, sessions
from control_plane.live.store.openings import Opened
from control_plane.people.model.users import User

log = structlog.get_logger(__name__)

LONGEST_TEXT = 200  # characters


@dataclass(frozen=True, slots=True)
class Start:
    """What the host may say about a broadcast."""

    title: str = ""
    cover: str = ""
    client_started_at: str = ""
    reconnect_window: int | None = None  # seconds
    watch: WatchTerms | None = None  # None: as it is
    device: str = ""  # the mark of the one that asks
    region: str = ""  # where a node is wanted; empty: anywhere


@dataclass(frozen=True, slots=True)
class Started:
    """``node``: where to publish. A session with a picture stays where that is until
    the next one comes."""

    session: LiveSession
    node: Node
    key: str  # shown this once
    key_expires_at: datetime


class Broadcasts:
    def __init__(
        self,
        pool: Pool,
        nodes: Nodes,
        lifecycle: Lifecycle,
        cutter: Cutter,
        *,
        peppers: Derived,
        first_publish_within: timedelta,
    ) -> None:
        self._pool = pool
        self._nodes = nodes
        self._lifecycle = lifecycle
        self._cutter = cutter
        self._peppers = peppers
        self._first_publish_within = first_publish_within

    async def start(self, user: User, start: Start) -> Started:
        """A new session, or one more key for the one that is open.

        A phone that tries again and again always gets a key: the oldest that nobody
        has published with makes room. The one that has published last stays until a
        newer one does.
        """
        _check(start)
        text = new_key()
        key = NewKey(
            hash_key(self._peppers, text),
            hint(text),
            self._first_publish_within,
            start.device,
        )
        for _ in range(3):
            try:
                opened = await self._opened(user, start, key)
            except (Taken, Missing):
                # A second request opened it at the same moment, or the node is removed.
                continue
            return Started(opened.session, opened.node, text, opened.key_expires_at)
        raise Refusal("Another start is under way. Please try again.")

    async def end_own(self, user: User, session_id: int) -> LiveSession:
        session = await sessions.get(self._pool, session_id)
        if session is None or session.user_id != user.id:
            raise Empty
        await self.end(session, "completed")
        return await self.get(session_id)

    async def end(self, session: LiveSession, reason: EndReason) -> bool:
        """End it for good and cut its publisher. True once nobody publishes."""
        await self._lifecycle.end(session, reason)
        return await self._cutter.cut(session.node, session.path)

    async def get(self, session_id: int) -> LiveSession:
        session = await sessions.get(self._pool, session_id)
        if session is None:
            raise Empty
        return session

    async def asked_for(self, session: LiveSession, caller: User | None) -> None:
        """Where video goes another way: a host who looks at it uses it."""
        within = self._lifecycle.spans.used_within
        if within and caller is not None and caller.id == session.user_id:
            await openings.keep(self._pool, session.id, within)

    async def listing(self, limit: int, *, everything: bool) -> list[LiveSession]:
        """Newest first; the open ones, or all."""
        statuses = [*OPEN, "ended", "expired"] if everything else [*OPEN]
        return await sessions.listing(self._pool, statuses, limit, 0)

    async def events(self, session_id: int) -> list[Event]:
        found: list[Event] = []
        while page := await events.of_subject(
            self._pool, "session", session_id, found[-1].seq if found else 0
        ):
            found += page
        return found

    async def attended(self, session_id: int) -> Attended:
        """Seconds behind what is going on."""
        return await attendance.of(self._pool, session_id)

    async def _opened(self, user: User, start: Start, key: NewKey) -> Opened:
        async with self._pool.transaction() as connection:
            opened = await self._again(
                connection, user, start, key
            ) or await self._open(connection, user, start, key)
            session_id = opened.session.id
            data = {"key_id": opened.key_id, "session_id": session_id}
            await append_user_event(connection, user.id, "key.created", data)
            if start.watch is None:
                return opened
            await set_policy(connection, session_id, start.watch)
            session = await sessions.get(connection, session_id)
            return replace(opened, session=session or opened.session)

    async def _again(
        self, connection: Connection, user: User, start: Start, key: NewKey
    ) -> Opened | None:
        title, cover = start.title, start.cover
        again = await openings.again(connection, user.id, title, cover, key)
        if again is None:
            return None
        session_id = again.session.id
        await key_events.superseded(connection, user.id, session_id, again.retired)
        if title or cover:
            data = {"title": bool(title), "cover": bool(cover)}
            await append_session_event(connection, session_id, "live.changed", data)
        return await self._goes_on(connection, again, start.region)

    async def _goes_on(
        self, connection: Connection, opened: Opened, region: str
    ) -> Opened:
        """Where its node is lost, silent or draining its host is sent to another: with
        it the session, or, while there still is a picture, his next picture alone."""
        old, session = opened.node, opened.session
        node = await self._nodes.goes_on_at(connection, old, region)
        if node.name == old.name:
            return opened
        moved = await sessions.move(connection, session.id, node.name)
        if moved is not None:
            data = {"node": node.name, "from_node": old.name}
            await append_session_event(connection, session.id, "live.moved", data)
        return replace(opened, session=moved or session, node=node)

    async def _open(
        self, connection: Connection, user: User, start: Start, key: NewKey
    ) -> Opened:
        spans = self._lifecycle.spans
        window = start.reconnect_window
        node = await self._nodes.find_origin(connection, start.region)
        if node is None:
            raise Unavailable(NO_NODE)
        opened = await openings.on_own_path(
            connection,
            user_id=user.id,
            node=node.name,
            title=start.title,
            cover=start.cover,
            client_started_at=start.client_started_at,
            reconnect_window=spans.reconnect_window if window is None else window,
            longest=spans.longest,
            key=key,
        )
        await append_session_event(
            connection, opened.session.id, "live.created", {"node": node.name}
        )
        return opened


def _check(start: Start) -> None:
    if len(start.title) > LONGEST_TEXT:
        raise BadInput(f"The title has at most {LONGEST_TEXT} characters.")
    if len(start.cover) > 2000 or (
        start.cover and not start.cover.startswith(("http://", "https://"))
    ):
        raise BadInput("The cover must be an http or https address.")
    window = start.reconnect_window
    if window is not None and not 0 <= window <= 1800:
        raise BadInput("reconnect_window must be 0 to 1800 seconds.")
