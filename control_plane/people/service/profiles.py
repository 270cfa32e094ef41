"""Users as others see them, and changes to one's own account."""

from collections.abc import Sequence
from functools import partial

from control_plane.base.batches import Reads
from control_plane.base.database import Pool
from control_plane.base.faults import Taken
from control_plane.base.refusals import Empty, Refusal
from control_plane.people.model.social import Device
from control_plane.people.model.users import Profile, ProfileChange, User
from control_plane.people.service.accounts import USERNAME
from control_plane.people.store import devices, profiles, users

PAGE = 10
LEAST_WORDS = 2  # characters
MOST_FOUND = 100  # by username, and as many by name
NOT_PRIVATE_YET = "Private accounts are not available yet."


class Profiles:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._seen = Reads(partial(profiles.of_pairs, pool))

    async def get(self, user_id: int) -> User | None:
        return await users.get(self._pool, user_id)

    async def named(self, viewer_id: int, username: str) -> Profile:
        """Raises Empty where there is none."""
        found = await profiles.named(self._pool, viewer_id, username)
        if found is None or found.user.gone:
            raise Empty
        return found

    async def seen(self, viewer_id: int, user_id: int) -> Profile:
        """Raises Empty for whoever does not exist, or is gone."""
        profile = await self._seen.get((viewer_id, user_id))
        if profile is None or profile.user.gone:
            raise Empty
        return profile

    async def several(
        self, viewer_id: int, user_ids: Sequence[int]
    ) -> dict[int, Profile]:
        """By id; whoever never existed is missing. ``viewer_id`` 0: a guest."""
        return await profiles.of(self._pool, viewer_id, user_ids)

    async def search(self, viewer_id: int, words: str, page: int) -> list[Profile]:
        """Whose username or name begins with ``words``."""
        skipped = page * PAGE
        if len(words) < LEAST_WORDS or skipped >= 2 * MOST_FOUND:
            return []
        return await profiles.search(
            self._pool, viewer_id, words.lower(), MOST_FOUND, PAGE, skipped
        )

    async def change(self, user: User, changes: ProfileChange) -> None:
        if changes.username is not None and not USERNAME.match(changes.username):
            raise Refusal("invalid username")
        # No app can ask to follow yet: nobody could ever be let in.
        if changes.private and not user.private:
            raise Refusal(NOT_PRIVATE_YET)
        try:
            await users.change(self._pool, user.id, changes)
        except Taken:
            raise Refusal("username already exist") from None

    async def check_username(self, username: str, user_id: int = 0) -> None:
        """Raises Refusal unless this user, or a new one, could have it."""
        if not USERNAME.match(username):
            raise Refusal("invalid username")
        if await users.name_taken(self._pool, username, user_id):
            raise Refusal("already exist")

    async def check_email(self, email: str) -> None:
        if await users.email_taken(self._pool, email):
            raise Refusal("An account is already registered with your email address.")

    async def check_phone(self, phone: str) -> None:
        if await users.phone_taken(self._pool, phone):
            raise Refusal("This phone has already been registered")

    async def register_device(self, key: str) -> Device:
        return await devices.register(self._pool, key)
