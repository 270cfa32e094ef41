"""Reading the audit log, and seeing that nobody has changed it."""

import contextlib
from collections.abc import AsyncIterator

from control_plane.audit import store
from control_plane.audit.model import FIRST, Entry, Verified, closed, follow
from control_plane.base.database import Connection, Pool

AT_ONCE = 1000  # entries
MOST = 2**62  # numbers


class AuditLog:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def page(
        self,
        limit: int,
        place: int = 0,
        subject: str = "",
        actor: str = "",
        *,
        oldest: bool = False,
    ) -> list[Entry]:
        """The newest first, or the ``oldest``. ``place``: the number of the entry
        before; 0: from the first on."""
        if oldest:
            return await store.after(self._pool, place, subject, actor, limit)
        return await store.newest(self._pool, place or MOST, subject, actor, limit)

    async def verify(self) -> Verified:
        """The whole chain, from its first entry to where it ended when the last one
        was written."""
        async with self._at_one_moment() as connection:
            found = await _followed(connection)
            return closed(found, await store.head(connection))

    @contextlib.asynccontextmanager
    async def _at_one_moment(self) -> AsyncIterator[Connection]:
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection


async def _followed(connection: Connection) -> Verified:
    found = Verified(0, FIRST, 0)
    while page := await store.sealed_after(connection, found.entries, AT_ONCE):
        for entry in page:
            found = follow(found, entry)
        if found.broken:
            break
    return found
