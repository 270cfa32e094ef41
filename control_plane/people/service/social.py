"""Following, blocking and reporting."""

from control_plane.base.database import Connection, Pool
from control_plane.base.faults import Missing
from control_plane.base.refusals import BadInput, Refusal
from control_plane.events.log import append_user_event
from control_plane.people.model.social import (
    Block,
    Blocked,
    Follow,
    Followed,
    Reported,
    ReportReason,
)
from control_plane.people.model.users import Profile
from control_plane.people.store import profiles, reports, social

PAGE = 10
NOT_AVAILABLE = "user not available"


class Social:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def toggle_follow(self, user_id: int, other_id: int) -> Profile:
        """The other one, as the user sees them afterwards."""
        if user_id == other_id:
            raise Refusal("You cannot follow yourself.")
        async with self._pool.transaction() as connection:
            await social.lock_pair(connection, user_id, other_id)
            other = await _present(connection, user_id, other_id)
            if other.blocked_by_me or other.blocker_of_me:
                raise Refusal("You cannot follow this user.")
            if not await social.unfollow(connection, user_id, other_id):
                if other.user.private:
                    raise Refusal("This account is private.")
                await social.follow(connection, user_id, other_id)
            return await _present(connection, user_id, other_id)

    async def followers(
        self, viewer_id: int, user_id: int, page: int
    ) -> list[Followed]:
        found = await social.followers(
            self._pool, user_id, viewer_id, PAGE, page * PAGE
        )
        seen = await self._profiles(viewer_id, [f.follower_id for f in found])
        return [Followed(f, seen[f.follower_id]) for f in found]

    async def following(
        self, viewer_id: int, user_id: int, page: int
    ) -> list[Followed]:
        found: list[Follow] = await social.following(
            self._pool, user_id, viewer_id, PAGE, page * PAGE
        )
        seen = await self._profiles(viewer_id, [f.followed_id for f in found])
        return [Followed(f, seen[f.followed_id]) for f in found]

    async def toggle_block(self, user_id: int, other_id: int) -> Blocked | None:
        """None: the block was lifted. A block ends following in both directions."""
        if user_id == other_id:
            raise Refusal("You cannot block yourself.")
        async with self._pool.transaction() as connection:
            await social.lock_pair(connection, user_id, other_id)
            await _exists(connection, user_id, other_id)
            block = await social.block(connection, user_id, other_id)
            if block is None:
                await social.unblock(connection, user_id, other_id)
                return None
            await social.part(connection, user_id, other_id)
            return Blocked(block, await _exists(connection, user_id, other_id))

    async def blocked(self, user_id: int, page: int) -> list[Blocked]:
        found: list[Block] = await social.blocks(self._pool, user_id, PAGE, page * PAGE)
        seen = await self._profiles(user_id, [b.block_user_id for b in found])
        return [Blocked(block, seen[block.block_user_id]) for block in found]

    async def report_reasons(self) -> list[ReportReason]:
        return await reports.reasons(self._pool)

    async def report(
        self, user_id: int, about: int, reason_id: int, description: str
    ) -> Reported:
        """The same complaint again changes its words only."""
        if user_id == about:
            raise Refusal("You cannot report yourself.")
        async with self._pool.transaction() as connection:
            other = await _exists(connection, user_id, about)
            if other.user.deleted_at is not None:
                raise Refusal(NOT_AVAILABLE)
            complaint = (user_id, about, reason_id, description)
            try:
                report = await reports.add(connection, *complaint)
            except Missing:
                raise BadInput("There is no such reason.") from None
            if report is None:
                return Reported(await reports.reword(connection, *complaint), other)
            data = {"report_id": report.id, "report_reason_id": reason_id}
            await append_user_event(connection, about, "user.reported", data)
        return Reported(report, other)

    async def _profiles(self, viewer_id: int, ids: list[int]) -> dict[int, Profile]:
        return await profiles.of(self._pool, viewer_id, ids)


async def _exists(connection: Connection, viewer_id: int, user_id: int) -> Profile:
    found = (await profiles.of(connection, viewer_id, [user_id])).get(user_id)
    if found is None:
        raise Refusal(NOT_AVAILABLE)
    return found


async def _present(connection: Connection, viewer_id: int, user_id: int) -> Profile:
    found = await _exists(connection, viewer_id, user_id)
    if found.user.gone:
        raise Refusal(NOT_AVAILABLE)
    return found
