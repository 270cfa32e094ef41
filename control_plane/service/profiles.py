"""Other people's profiles."""

from control_plane.model.users import User
from control_plane.store import users
from control_plane.store.database import Pool


class Profiles:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def get(self, user_id: int) -> User | None:
        return await users.get(self._pool, user_id)

    async def by_username(self, username: str) -> User | None:
        return await users.by_username(self._pool, username)
