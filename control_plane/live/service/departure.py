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
        """In the transaction that deletes: no key opens anything any more."""
        await keys.forget(connection, user_id)
        await sessions.forget(connection, user_id)

    async def leave(self, user_id: int) -> None:
        """After it: cut, and give the channel's name back."""
        session = await sessions.open_of_user(self._pool, user_id)
        if session is not None:
            await self._broadcasts.end(session, "completed")
        name = f"gone-{secrets.token_hex(4)}"
        async with self._pool.transaction() as connection:
            await channels.rename(connection, user_id, name)
