"""Deleting one's own account."""

from collections.abc import Awaitable, Callable, Sequence

from control_plane.base.database import Connection, Pool
from control_plane.base.refusals import Refusal
from control_plane.events.log import append_user_event
from control_plane.people.store import sign_ins, social, users

#: Takes away what a domain above this one keeps about a user.
Forget = Callable[[Connection, int], Awaitable[None]]


class Deletion:
    def __init__(
        self,
        pool: Pool,
        forget: Sequence[Forget],
        leave: Callable[[int], Awaitable[None]],
    ) -> None:
        """``leave``: what has to happen outside once the account is gone."""
        self._pool = pool
        self._forget = [sign_ins.forget, social.forget, *forget]
        self._leave = leave

    async def delete(self, user_id: int) -> None:
        """Denied and nameless first, then cut. What the ledger says about the id
        stays; nothing is left that says who it was."""
        async with self._pool.transaction() as connection:
            if not await users.anonymise(connection, user_id):
                raise Refusal("Invalid id: Do not exist")
            for forget in self._forget:
                await forget(connection, user_id)
            await append_user_event(connection, user_id, "user.deleted", {})
        await self._leave(user_id)
