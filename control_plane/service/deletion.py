"""Deleting one's own account."""

import secrets as random

from control_plane.model.refusals import Refusal
from control_plane.service.broadcasts import Broadcasts
from control_plane.store import payouts, sessions, social, users, videos
from control_plane.store.database import Pool
from control_plane.store.events import append_user_event


class Deletion:
    def __init__(self, pool: Pool, broadcasts: Broadcasts) -> None:
        self._pool = pool
        self._broadcasts = broadcasts

    async def delete(self, user_id: int) -> None:
        """Denied and nameless first, then cut. What the ledger says about the id
        stays; nothing is left that says who it was."""
        async with self._pool.acquire() as connection, connection.transaction():
            if not await users.anonymise(connection, user_id):
                raise Refusal("Invalid id: Do not exist")
            await videos.forget(connection, user_id)
            await social.forget(connection, user_id)
            await payouts.forget_methods(connection, user_id)
            await append_user_event(connection, user_id, "user.deleted", {})
        session = await sessions.open_of_user(self._pool, user_id)
        if session is not None:
            await self._broadcasts.end(session, "completed")
        name = f"gone-{random.token_hex(4)}"
        async with self._pool.acquire() as connection, connection.transaction():
            await users.rename_channel(connection, user_id, name)
