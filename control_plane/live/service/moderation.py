"""Kicking and banning: denied first, then cut, and said when it is out."""

from control_plane.audit.log import record
from control_plane.base.database import Pool
from control_plane.base.refusals import Empty
from control_plane.events.log import append_user_event
from control_plane.live.model.sessions import LiveSession
from control_plane.live.service.broadcasts import Broadcasts
from control_plane.live.service.cutting import Cutter
from control_plane.live.service.nodes import Nodes
from control_plane.live.store import channels, sessions
from control_plane.people.store import users


class Moderation:
    def __init__(
        self, pool: Pool, broadcasts: Broadcasts, nodes: Nodes, cutter: Cutter
    ) -> None:
        self._pool = pool
        self._broadcasts = broadcasts
        self._nodes = nodes
        self._cutter = cutter

    async def kick(self, session: LiveSession) -> bool:
        """True once nobody publishes on its path."""
        return await self._broadcasts.end(session, "kicked")

    async def ban(self, user_id: int, reason: str) -> bool:
        """True once the user publishes nowhere."""
        async with self._pool.transaction() as connection:
            if await users.get(connection, user_id) is None:
                raise Empty("There is no such user.")
            if await users.ban(connection, user_id, reason):
                await append_user_event(
                    connection, user_id, "user.banned", {"reason": reason}
                )
                after = {"reason": reason}
                await record(connection, "user.banned", f"user/{user_id}", after=after)
        session = await sessions.open_of_user(self._pool, user_id)
        out = session is None or await self._broadcasts.end(session, "banned")
        return out and await self._cut_channel(user_id)

    async def unban(self, user_id: int) -> bool:
        """False when the user was not banned."""
        async with self._pool.transaction() as connection:
            changed = await users.unban(connection, user_id)
            if changed:
                await append_user_event(connection, user_id, "user.unbanned", {})
                await record(connection, "user.unbanned", f"user/{user_id}")
        return changed

    async def _cut_channel(self, user_id: int) -> bool:
        """An encoder let in just before the ban, which no session shows yet."""
        channel = await channels.of_user(self._pool, user_id)
        if channel is None:
            return True
        out = True
        for node in await self._nodes.listing():
            if node.state != "lost":
                out = await self._cutter.cut(node.name, channel.path) and out
        return out
