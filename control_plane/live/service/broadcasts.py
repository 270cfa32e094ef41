"""Going live: starting and ending one's broadcast."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from control_plane.base.database import Pool
from control_plane.base.refusals import Empty
from control_plane.base.secrets import Derived
from control_plane.live.model.attendance import Attended
from control_plane.live.model.keys import NewKey, hash_key, hint, new_key
from control_plane.live.model.nodes import Node
from control_plane.live.model.sessions import EndReason, LiveSession
from control_plane.live.model.starts import Start, Wanted
from control_plane.live.service.cutting import Cutter
from control_plane.live.service.lifecycle import Lifecycle
from control_plane.live.service.nodes import Nodes
from control_plane.live.service.starting import Starting
from control_plane.live.store import attendance, openings, sessions
from control_plane.people.model.users import User


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
        self._lifecycle = lifecycle
        self._cutter = cutter
        self._starting = Starting(pool, nodes, lifecycle.spans)
        self._peppers = peppers
        self._first_publish_within = first_publish_within

    async def start(self, user: User, start: Start) -> Started:
        """A new session, or one more key for the one that is open.

        A phone that tries again and again always gets a key: the oldest that nobody
        has published with makes room. The one that has published last stays until a
        newer one does.
        """
        start.check()
        text = new_key()
        key = NewKey(
            hash_key(self._peppers, text),
            hint(text),
            self._first_publish_within,
            start.device,
        )
        opened = await self._starting.start(Wanted(user.id, start, key))
        return Started(opened.session, opened.node, text, opened.key_expires_at)

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

    async def attended(self, session_id: int) -> Attended:
        """Seconds behind what is going on."""
        return await attendance.of(self._pool, session_id)
