"""Telling a host's followers that the host is live."""

from control_plane.base.database import Pool
from control_plane.base.refusals import Empty, Refusal
from control_plane.events import store as events
from control_plane.events.log import append_session_event
from control_plane.events.model import EventType
from control_plane.live.store import sessions
from control_plane.people.store import profiles

ANNOUNCED: EventType = "live.announced"


class Announcing:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def announce(self, user_id: int, session_id: int) -> None:
        """One event for each session: whoever receives events sends the pushes."""
        async with self._pool.transaction() as connection:
            session = await sessions.get_locked(connection, session_id)
            if session is None or session.user_id != user_id:
                raise Empty
            if await events.happened(connection, session_id, ANNOUNCED):
                return
            if not session.is_open:
                raise Refusal("This live stream is over.")
            host = (await profiles.of(connection, 0, [user_id]))[user_id]
            data = {"user_id": user_id, "followers": host.followers}
            await append_session_event(connection, session_id, ANNOUNCED, data)
