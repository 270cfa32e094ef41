"""Deleting one's own account."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from control_plane.base.database import Connection, Pool
from control_plane.base.refusals import Refusal
from control_plane.events.log import append_user_event
from control_plane.people.model.users import Counts
from control_plane.people.store import sign_ins, social, users

AT_ONCE = 20_000  # follows that one transaction ends

#: Takes away what a domain above this one keeps about a user; what that changes in
#: others' numbers is written with all such changes.
Forget = Callable[[Connection, int], Awaitable[Mapping[int, Counts] | None]]


class Deletion:
    def __init__(
        self,
        pool: Pool,
        forget: Sequence[Forget],
        leave: Callable[[int], Awaitable[None]],
    ) -> None:
        """``leave``: what has to happen outside once the account is gone."""
        self._pool = pool
        self._forget = [sign_ins.forget, *forget]
        self._leave = leave

    async def delete(self, user_id: int) -> None:
        """Denied and nameless first, then cut. What the ledger says about the id
        stays; nothing is left that says who it was.

        Locks are taken as everybody takes them: sessions and videos, then numbers, and
        users last."""
        await self._thin_out(user_id)
        async with self._pool.transaction() as connection:
            changes: list[tuple[int, Counts]] = []
            for forget in self._forget:
                changes += (await forget(connection, user_id) or {}).items()
            await social.forget(connection, user_id, changes)
            if not await users.anonymise(connection, user_id):
                raise Refusal("Invalid id: Do not exist")
            await append_user_event(connection, user_id, "user.deleted", {})
        await self._leave(user_id)

    async def _thin_out(self, user_id: int) -> None:
        """A star's followers are too many for one statement. Broken off, it goes on
        where the account is deleted again."""
        while await social.has_more_follows(self._pool, user_id, AT_ONCE):
            async with self._pool.transaction() as connection:
                await social.end_follows(connection, user_id, AT_ONCE)
