"""Looking for accounts, as operators do."""

from control_plane.base.database import Pool
from control_plane.base.refusals import Empty
from control_plane.people.model.users import User
from control_plane.people.store import operating, users

MOST = 2**31 - 1


class Directory:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def newest(
        self, limit: int, *, banned: bool, before: int | None
    ) -> list[User]:
        below = MOST if before is None else before
        return await operating.newest(
            self._pool, banned=banned, before=below, limit=limit
        )

    async def search(
        self, words: str, limit: int, *, banned: bool, before: int | None
    ) -> list[User]:
        """By the beginning of a name, a whole address or number, or an id."""
        number = int(words) if words.isascii() and words.isdigit() else 0
        return await operating.search(
            self._pool,
            words.lower(),
            number if number <= MOST else 0,
            banned=banned,
            before=MOST if before is None else before,
            limit=limit,
        )

    async def named(self, username: str) -> User | None:
        return await users.by_username(self._pool, username)

    async def get(self, user_id: int) -> User:
        """Whoever it is, gone or not."""
        found = await users.get(self._pool, user_id)
        if found is None:
            raise Empty("There is no such user.")
        return found
