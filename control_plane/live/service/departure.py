"""What is left of a user's broadcasts when the account is deleted."""

import secrets

from control_plane.base.database import Connection, Pool
from control_plane.live.service.broadcasts import Broadcasts
from control_plane.live.store import channels, keys, sessions


class Departure:
    def __init__(self, pool: Pool, broadcasts: Broadcasts) -> None:
        self._pool = pool
        self._broadcasts = broadcasts

    async def forget(self, connection: Connection, user_id: int) -> None:
        """In the transaction that deletes: no key opens anything any more, and the
        channel's name is free. A broadcast keeps its path until it ends."""
        await sessions.forget(connection, user_id)
        await channels.rename(connection, user_id, f"gone-{secrets.token_hex(4)}")
        await keys.forget(connection, user_id)

    async def leave(self, user_id: int) -> None:
        """After it: cut. Rounds do it where this process is gone by then."""
        session = await sessions.open_of_user(self._pool, user_id)
        if session is not None:
            await self._broadcasts.end(session, "completed")
